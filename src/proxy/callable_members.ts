/**
 * Which members of an object may be called by a peer.
 *
 * @module
 */

import type { RpcFunction } from "../rpc/mod.ts";

const NEVER: ReadonlySet<string> = new Set([
  "constructor",
  "then",
  ...Object.getOwnPropertyNames(Object.prototype),
]);

/** Marks functions that never cross; see `local()`. */
export const LOCAL: unique symbol = Symbol("cordon.local");

/**
 * Whether a function was marked with `local()`.
 *
 * @param value Anything.
 * @returns True if it was.
 */
export function isLocal(value: unknown): boolean {
  return typeof value === "function" && (value as { readonly [LOCAL]?: boolean })[LOCAL] === true;
}

/**
 * Whether a name may cross at all: no private names, nothing that every object has, nothing that makes a promise.
 *
 * @param name Name of a member.
 * @returns True if it may.
 *
 * @example
 * ```ts
 * import { isCallableName } from "./callable_members.ts";
 *
 * isCallableName("find"); // true
 * isCallableName("__proto__"); // false
 * ```
 */
export function isCallableName(name: string): boolean {
  return !name.startsWith("_") && !NEVER.has(name);
}

/**
 * The methods of an object and of its classes, bound to it. Accessors are never run.
 *
 * @param object A plain object or an instance.
 * @param methods Names to take, or all.
 * @param label What the object is called in errors.
 * @returns Name → bound function, in the order of `methods`, else own ones first.
 * @throws {TypeError} If a listed method is missing or must not cross.
 */
export function callableMembers(
  object: object,
  methods: readonly string[] | "all",
  label: string,
): ReadonlyMap<string, RpcFunction> {
  const all = new Map<string, RpcFunction>();
  const seen = new Set<string>();
  for (let holder: object | null = object; holder !== null && holder !== Object.prototype;) {
    for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      // Whatever a class puts in the place of an inherited method hides it.
      if (!isCallableName(name) || seen.has(name)) continue;
      seen.add(name);
      if (typeof value !== "function" || isClass(value) || isLocal(value)) continue;
      all.set(name, value as RpcFunction);
    }
    holder = Object.getPrototypeOf(holder);
  }
  const names = methods === "all" ? [...all.keys()] : methods;
  return new Map(names.map((name) => {
    const method = all.get(name);
    if (method === undefined) {
      throw new TypeError(
        `Cannot expose "${label}.${name}" as it must be a method: it is not one that may be called`,
      );
    }
    return [name, method.bind(object)];
  }));
}

/**
 * What a function is to a caller.
 *
 * @param value Any function.
 * @returns `"stream"` for generator functions.
 */
export function callableKind(value: unknown): "function" | "stream" {
  const kind = Object.prototype.toString.call(value);
  return kind === "[object AsyncGeneratorFunction]" || kind === "[object GeneratorFunction]"
    ? "stream"
    : "function";
}

/**
 * Whether a function is a class, which cannot be called.
 *
 * @param value Any function.
 * @returns True if it is.
 */
// deno-lint-ignore ban-types
export function isClass(value: Function): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
