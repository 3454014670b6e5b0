/**
 * Lets a peer call what a module exports.
 *
 * @module
 */

import type { ExportDescription, RpcFunction, RpcSession } from "../rpc/mod.ts";
import { callableKind, isCallableName, isClass } from "./callable_members.ts";

/** Target under which a guest exposes the plugin's module. */
export const PLUGIN_TARGET = "plugin";

const MAX_LEVELS = 8;

/** Gives what is called in place of a function. */
export type Around = (name: string, member: RpcFunction) => RpcFunction;

/**
 * Expose the own, enumerable exports of a module: functions, plain objects of functions (as `"parent.child"`), and
 * constants that are primitives. Classes, accessors, and names that begin with `_` stay inside.
 *
 * @param session Who may call.
 * @param target Name to call it by.
 * @param namespace The module's namespace, or a plain object.
 * @param around Applied to each function. @default leaves it as it is
 * @returns What is exposed, for the peer.
 * @throws {TypeError} If the target is taken.
 */
export function exposeModule(
  session: RpcSession,
  target: string,
  namespace: object,
  around: Around = (_, member) => member,
): ExportDescription[] {
  const members = new Map<string, RpcFunction>();
  const descriptions = collect(namespace, "", members, 0);
  session.expose(target, new Map([...members].map(([name, member]) => [name, around(name, member)])));
  return descriptions;
}

function collect(
  holder: object,
  prefix: string,
  members: Map<string, RpcFunction>,
  level: number,
): ExportDescription[] {
  const descriptions: ExportDescription[] = [];
  for (const name of Object.keys(holder)) {
    if (!isCallableName(name)) continue;
    const description = describe(holder, name, prefix, members, level);
    if (description !== undefined) descriptions.push(description);
  }
  return descriptions;
}

function describe(
  holder: object,
  name: string,
  prefix: string,
  members: Map<string, RpcFunction>,
  level: number,
): ExportDescription | undefined {
  const descriptor = Object.getOwnPropertyDescriptor(holder, name);
  if (descriptor === undefined || !("value" in descriptor)) return undefined;
  const value: unknown = descriptor.value;
  if (typeof value === "function") {
    if (isClass(value) || members.has(prefix + name)) return undefined;
    // Nested functions are methods; exports of a module have no receiver.
    members.set(prefix + name, level === 0 ? value as RpcFunction : value.bind(holder));
    return { name, kind: callableKind(value) };
  }
  if (isPlainObject(value)) {
    if (level >= MAX_LEVELS) return undefined;
    return { name, kind: "object", members: collect(value, `${prefix}${name}.`, members, level + 1) };
  }
  if (typeof value === "object" && value !== null || typeof value === "symbol") return undefined;
  return { name, kind: "value", value };
}

function isPlainObject(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
