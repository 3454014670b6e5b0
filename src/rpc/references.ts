/**
 * Functions and objects that one side holds of the other, counted on both sides.
 *
 * @module
 */

import { DisposedError, LimitExceededError, ProtocolError } from "../errors.ts";
import { remoteStream } from "./remote_stream.ts";
import type { CallOptions, RpcFunction } from "./types.ts";

/** Something of ours that the peer may call. */
export interface ExportedReference {
  readonly id: number;
  /** What was exported: the function, or the object of a handle. */
  readonly target: object;
  /** Callable members of a handle; undefined for a function. */
  readonly members: ReadonlyMap<string, RpcFunction> | undefined;
  /** How often the peer got it and has not released it. */
  count: number;
}

/** Something of the peer's that we hold. */
interface ImportedReference {
  readonly id: number;
  proxy: WeakRef<object>;
  count: number;
  isReleased: boolean;
}

/** How a proxy reaches its peer. */
export interface ReferenceCaller {
  /** Call a function (`method` is empty) or a member of an object of the peer. */
  callReference(
    id: number,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown>;
  /** The peer may forget `count` uses of a reference. */
  releaseReference(id: number, count: number): void;
}

/** A function of the peer. Disposing it tells the peer that it is not needed any more. */
export interface RemoteCallback extends Disposable {
  (...args: unknown[]): Promise<unknown>;
}

/** The references of one session. */
export class ReferenceTable {
  readonly #caller: ReferenceCaller;
  readonly #maxReferences: number;
  readonly #exported = new Map<number, ExportedReference>();
  readonly #exportedByTarget = new Map<object, ExportedReference>();
  readonly #imported = new Map<number, ImportedReference>();
  readonly #importedByProxy = new WeakMap<object, ImportedReference>();
  readonly #forgotten: FinalizationRegistry<ImportedReference>;
  #lastId = 0;

  /**
   * @param caller Carries calls and releases to the peer.
   * @param maxReferences Bound on either direction.
   */
  constructor(caller: ReferenceCaller, maxReferences: number) {
    this.#caller = caller;
    this.#maxReferences = maxReferences;
    this.#forgotten = new FinalizationRegistry((reference) => this.#release(reference));
  }

  /** Functions and handles that the peer holds. */
  get exportedCount(): number {
    return this.#exported.size;
  }

  /** Functions and handles of the peer. */
  get importedCount(): number {
    return this.#imported.size;
  }

  /**
   * Number something of ours for the peer, or count one more use of it.
   *
   * @param target The function, or the object of a handle.
   * @param members Callable members of a handle.
   * @returns Its number, and how to take this use back.
   * @throws {LimitExceededError} If too much is exported.
   */
  export(target: object, members?: ReadonlyMap<string, RpcFunction>): ExportedReference {
    const known = this.#exportedByTarget.get(target);
    if (known !== undefined) {
      known.count++;
      return known;
    }
    this.#checkRoom(this.#exported.size);
    const reference: ExportedReference = { id: ++this.#lastId, target, members, count: 1 };
    this.#exported.set(reference.id, reference);
    this.#exportedByTarget.set(target, reference);
    return reference;
  }

  /**
   * Something of ours by its number.
   *
   * @param id Number that the peer named.
   * @returns The reference.
   * @throws {DisposedError} If it was released.
   * @throws {ProtocolError} If there never was one.
   */
  exported(id: number): ExportedReference {
    const reference = this.#exported.get(id);
    if (reference !== undefined) return reference;
    if (id > this.#lastId || id < 1) throw neverExported(id);
    throw new DisposedError(`Cannot use reference ${id} as it was released: no count is left`);
  }

  /**
   * The peer gave back uses of something of ours.
   *
   * @param id Number that the peer named.
   * @param count Uses.
   * @throws {ProtocolError} If it gives back nothing, or more than it got.
   */
  takeBack(id: number, count: number): void {
    const reference = this.#exported.get(id);
    if (reference === undefined || count < 1 || count > reference.count) {
      throw new ProtocolError(`Cannot release reference ${id} as the peer does not hold that many: ${count}`);
    }
    reference.count -= count;
    if (reference.count > 0) return;
    this.#exported.delete(id);
    this.#exportedByTarget.delete(reference.target);
  }

  /**
   * A proxy for something of the peer's; the same one while user code holds it.
   *
   * @param id The peer's number.
   * @param make Makes a proxy.
   * @returns The proxy.
   * @throws {LimitExceededError} If too much is imported.
   */
  import<T extends object>(id: number, make: (caller: ReferenceCaller) => T): T {
    const known = this.#imported.get(id);
    const alive = known?.proxy.deref();
    if (known !== undefined && alive !== undefined) {
      known.count++;
      return alive as T;
    }
    this.#checkRoom(this.#imported.size);
    const reference: ImportedReference = {
      id,
      proxy: new WeakRef<object>(this),
      count: 1,
      isReleased: false,
    };
    const proxy = make({
      callReference: (id, method, args, options) =>
        reference.isReleased
          ? Promise.reject(
            new DisposedError("Cannot call a remote reference as it was disposed: nothing holds it"),
          )
          : this.#caller.callReference(id, method, args, options),
      releaseReference: () => this.#release(reference),
    });
    reference.proxy = new WeakRef<object>(proxy);
    this.#imported.set(id, reference);
    this.#importedByProxy.set(proxy, reference);
    this.#forgotten.register(proxy, reference, reference);
    return proxy;
  }

  /**
   * The peer's number for a proxy that is sent back to it.
   *
   * @param proxy Any object.
   * @returns Its number, or undefined if it is not the peer's.
   * @throws {DisposedError} If it was disposed.
   */
  importedId(proxy: object): number | undefined {
    const reference = this.#importedByProxy.get(proxy);
    if (reference?.isReleased === true) {
      throw new DisposedError("Cannot send a remote reference as it was disposed: nothing holds it");
    }
    return reference?.id;
  }

  /**
   * One use of a proxy never reached user code.
   *
   * @param proxy What `import()` gave.
   */
  giveBack(proxy: object): void {
    const reference = this.#importedByProxy.get(proxy);
    if (reference === undefined || reference.isReleased) return;
    if (reference.count === 1) return this.#release(reference);
    reference.count--;
    this.#caller.releaseReference(reference.id, 1);
  }

  /** The peer is gone: nothing is held any more, on either side. */
  clear(): void {
    for (const reference of this.#imported.values()) {
      reference.isReleased = true;
      this.#forgotten.unregister(reference);
    }
    this.#imported.clear();
    this.#exported.clear();
    this.#exportedByTarget.clear();
  }

  #release(reference: ImportedReference): void {
    if (reference.isReleased) return;
    reference.isReleased = true;
    this.#forgotten.unregister(reference);
    if (this.#imported.get(reference.id) === reference) this.#imported.delete(reference.id);
    this.#caller.releaseReference(reference.id, reference.count);
  }

  #checkRoom(size: number): void {
    if (size < this.#maxReferences) return;
    throw new LimitExceededError(
      `Cannot pass a function or handle as "maxReferences" is ${this.#maxReferences}: it is reached`,
      {
        limit: "maxReferences",
        asked: size + 1,
        allowed: this.#maxReferences,
        hint: "Dispose callbacks and remote objects that are not needed any more",
      },
    );
  }
}

/**
 * A callable proxy for a function of the peer.
 *
 * @param id The peer's number.
 * @param caller Reaches the peer.
 * @returns An async function that can be disposed.
 */
export function remoteCallback(id: number, caller: ReferenceCaller): RemoteCallback {
  const callback = (...args: unknown[]) => caller.callReference(id, "", args);
  return Object.defineProperty(callback, Symbol.dispose, { value: () => caller.releaseReference(id, 1) }) as
    & typeof callback
    & Disposable;
}

/** What can be called on an object of the peer. */
export interface RemoteMembers {
  /** Names of its methods. */
  readonly methods: readonly string[];
  /** Names of its generators. */
  readonly generators: readonly string[];
}

/**
 * A proxy for an object of the peer: one async method for each of its own, an async iterator from each generator.
 *
 * @param id The peer's number.
 * @param members What it has.
 * @param caller Reaches the peer.
 * @returns A frozen object with `Symbol.dispose` and `Symbol.asyncDispose`.
 */
export function remoteObject(id: number, members: RemoteMembers, caller: ReferenceCaller): object {
  const object: Record<string | symbol, unknown> = Object.create(null);
  // Every method holds the object through this: one that user code took out of it goes on working.
  const link = { object, caller };
  for (const name of members.methods) {
    object[name] = (...args: unknown[]) => link.caller.callReference(id, name, args);
  }
  for (const name of members.generators) {
    object[name] = (...args: unknown[]) =>
      remoteStream(
        (signal) => link.caller.callReference(id, name, args, { signal }),
        `reference ${id}.${name}`,
        undefined,
      );
  }
  object[Symbol.dispose] = () => caller.releaseReference(id, 1);
  object[Symbol.asyncDispose] = () => Promise.resolve(caller.releaseReference(id, 1));
  object[Symbol.toStringTag] = "RemoteObject";
  return Object.freeze(object);
}

function neverExported(id: number): ProtocolError {
  return new ProtocolError(`Cannot use reference ${id} as it was never given to the peer: it is unknown`);
}
