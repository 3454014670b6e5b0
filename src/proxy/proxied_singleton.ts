/**
 * Classes with one instance per process, which is a proxy where the instance lives in another one.
 *
 * @module
 */

import type { CallOptions } from "../rpc/mod.ts";
import { callableKind, isCallableName, isLocal } from "./callable_members.ts";

/** What a remote singleton reaches its process by. An `RpcSession` is one. */
export interface SingletonRpc {
  /** Call a method. */
  call(target: string, method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>;
  /** Call a generator method. */
  stream(
    target: string,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterableIterator<unknown>;
}

/** A class of singletons that is made without arguments. */
export interface SingletonClass<T extends ProxiedSingleton = ProxiedSingleton> {
  /** Makes the instance; `instance()` does when it is first asked for. */
  new (): T;
  /** Its methods. */
  readonly prototype: T;
  /** Name of the class. */
  readonly name: string;
  /** Name on the wire. */
  readonly remoteId: string;
  /** Singletons that go with it. */
  readonly nested: Readonly<Record<string, SingletonClass>>;
}

type Entry =
  | { readonly kind: "local"; readonly instance: ProxiedSingleton }
  | { readonly kind: "remote"; readonly instance: ProxiedSingleton; rpc: SingletonRpc };

/**
 * A class with one instance per process. The host exposes its instance; a plugin calls `useRemote()` before it first
 * asks for the instance, and gets a proxy whose methods run in the host.
 *
 * - Every method is remote, its result a promise, unless it is marked with `@local`. Generators give async iterators.
 * - Accessors and names that begin with `_` do not cross: reading one on a proxy throws. A proxy has no fields.
 * - `nested` singletons are exposed, and made remote, together with their parent.
 *
 * @example
 * ```ts
 * import { local } from "./local.ts";
 * import { ProxiedSingleton } from "./proxied_singleton.ts";
 *
 * class Registry extends ProxiedSingleton {
 *   readonly #names = new Map<string, number>();
 *   set(name: string, size: number): void {
 *     this.#names.set(this.normalize(name), size);
 *   }
 *   @local
 *   normalize(name: string): string {
 *     return name.trim();
 *   }
 * }
 * Registry.instance().set(" a ", 1);
 * Registry.instance() === Registry.instance(); // true
 * ```
 */
export abstract class ProxiedSingleton {
  // The table is the point of a singleton: one per process, and `singletonScope()` gives tests a fresh one.
  static #entries = new Map<unknown, Entry>();

  /** Singletons that go with this one: property name → class. */
  static readonly nested: Readonly<Record<string, SingletonClass>> = {};

  /** Name on the wire; the same on both sides. @default the class's name */
  static get remoteId(): string {
    return this.name;
  }

  /**
   * Registers the instance of its class.
   *
   * @throws {TypeError} If there is one already, or it lives in another process.
   */
  constructor() {
    const entry = ProxiedSingleton.#entries.get(new.target);
    if (entry !== undefined) {
      throw new TypeError(
        `Cannot create "${new.target.name}" as it is a singleton: ` +
          (entry.kind === "remote" ? "it lives in another process" : "it exists already"),
      );
    }
    ProxiedSingleton.#entries.set(new.target, { kind: "local", instance: this });
  }

  /**
   * The instance of this class in this process, made now if there is none.
   *
   * @returns The instance, or the proxy that `useRemote()` made.
   */
  static instance<T extends ProxiedSingleton>(this: SingletonClass<T>): T {
    const entry = ProxiedSingleton.#entries.get(this);
    if (entry !== undefined) return entry.instance as T;
    try {
      return new this();
    } catch (error) {
      // A constructor that failed half-way leaves nothing behind.
      ProxiedSingleton.#entries.delete(this);
      throw error;
    }
  }

  /**
   * Use an object as the instance of this class, for tests.
   *
   * @param instance What `instance()` gives from now on.
   * @throws {TypeError} If there is an instance already.
   */
  static inject<T extends ProxiedSingleton>(this: SingletonClass<T>, instance: T): void {
    const entry = ProxiedSingleton.#entries.get(this);
    if (entry !== undefined && entry.instance !== instance) {
      throw new TypeError(`Cannot inject "${this.name}" as it must come before the first use: it is in use`);
    }
    ProxiedSingleton.#entries.set(this, { kind: "local", instance });
  }

  /**
   * Have the instance live in another process. Once more with another connection, after a reconnect, keeps the proxy.
   *
   * @param rpc Reaches the process that exposed the class.
   * @returns The proxy, which `instance()` gives from now on.
   * @throws {TypeError} If the class was instantiated here before.
   */
  static useRemote<T extends ProxiedSingleton>(this: SingletonClass<T>, rpc: SingletonRpc): T {
    const entry = ProxiedSingleton.#entries.get(this);
    if (entry?.kind === "local") {
      throw new TypeError(
        `Cannot use a remote "${this.name}" as it must come before the first use: it is in use here`,
      );
    }
    for (const nested of Object.values(this.nested)) ProxiedSingleton.useRemote.call(nested, rpc);
    if (entry !== undefined) {
      entry.rpc = rpc;
      return entry.instance as T;
    }
    const instance = Object.create(this.prototype) as T;
    const remote: Entry = { kind: "remote", instance, rpc };
    defineRemoteMembers(this, instance, () => remote.rpc);
    ProxiedSingleton.#entries.set(this, remote);
    return instance;
  }

  /**
   * A fresh table of singletons until the scope is disposed, which restores the one before. Scopes nest.
   *
   * @returns Disposing it ends the scope.
   */
  static scope(): Disposable {
    const outer = ProxiedSingleton.#entries;
    ProxiedSingleton.#entries = new Map();
    return { [Symbol.dispose]: () => void (ProxiedSingleton.#entries = outer) };
  }
}

function defineRemoteMembers(type: SingletonClass, proxy: object, rpc: () => SingletonRpc): void {
  const id = type.remoteId;
  for (const [name, descriptor] of methodsOf(type)) {
    if (isLocal(descriptor.value)) continue;
    if (typeof descriptor.value !== "function" || !isCallableName(name)) {
      const get = () => {
        throw new TypeError(
          `Cannot read "${id}.${name}" as only its methods are remote: it is private or no method`,
        );
      };
      Object.defineProperty(proxy, name, { get });
      continue;
    }
    const value = callableKind(descriptor.value) === "stream"
      ? (...args: unknown[]) => rpc().stream(id, name, args)
      : (...args: unknown[]) => rpc().call(id, name, args);
    Object.defineProperty(proxy, name, { value, writable: true });
  }
  for (const [name, nested] of Object.entries(type.nested)) {
    Object.defineProperty(proxy, name, {
      get: () => (nested as typeof ProxiedSingleton & SingletonClass).instance(),
    });
  }
}

/** Members of a class and its bases, the most derived first. */
function methodsOf(type: SingletonClass): Map<string, PropertyDescriptor> {
  const members = new Map<string, PropertyDescriptor>();
  let holder: object = type.prototype;
  while (holder !== ProxiedSingleton.prototype && holder !== Object.prototype) {
    for (const [name, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(holder))) {
      if (name !== "constructor" && !members.has(name)) members.set(name, descriptor);
    }
    holder = Object.getPrototypeOf(holder);
  }
  return members;
}
