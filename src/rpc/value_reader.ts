/**
 * Decoded MessagePack with markers → values of this process. Every field of a marker is checked here.
 *
 * @module
 */

import { errorFromFields } from "./error_fields.ts";
import { type ReferenceTable, remoteCallback, remoteObject } from "./references.ts";
import type { RpcSession } from "./session.ts";
import type { SignalOwner, SignalTable } from "./signal_table.ts";
import type { StreamTable } from "./stream_table.ts";
import type { TypeRegistry } from "./type_registry.ts";
import type { CodecContext } from "./types.ts";
import { rethrowAt, ValueFailure } from "./value_path.ts";
import { Marker, MarkerCode } from "./wire_types.ts";

/** What a reader needs of its session. */
export interface ReaderParts {
  readonly session: RpcSession;
  readonly references: ReferenceTable;
  readonly streams: StreamTable;
  readonly signals: SignalTable;
  readonly types: TypeRegistry;
  /** Rewrites stacks to source positions. */
  readonly mapStack: (stack: string) => string;
  /** Sees each error before anybody else does. */
  readonly onPeerError: (error: Error) => void;
}

const MAX_MEMBERS = 1024;
/** Characters; whoever maps stacks need not expect megabytes. */
const MAX_STACK = 16_384;

/** Revives values of frames that hold markers or binaries. */
export class ValueReader {
  readonly #parts: ReaderParts;
  readonly #context: CodecContext;
  #undo: (() => void)[] = [];
  #owner: SignalOwner | undefined;

  /**
   * @param parts Of the session.
   */
  constructor(parts: ReaderParts) {
    this.#parts = parts;
    const { session } = parts;
    this.#context = { session, frameRoom: 0, rollback: (undo) => void this.#undo.push(undo) };
  }

  /**
   * Revive one value, in place where it can.
   *
   * @param value Decoded, hostile; owned by the reader.
   * @param root What it is called in errors, such as `"$.result"`.
   * @param opened Told how to give back what the value opened.
   * @param owner The call that signals in it belong to; without it there may be none.
   * @returns A value for user code.
   * @throws {SerializationError} If it is not what PROTOCOL.md allows; what it opened is given back.
   */
  read(
    value: unknown,
    root: string,
    opened?: (undo: readonly (() => void)[]) => void,
    owner?: SignalOwner,
  ): unknown {
    this.#undo = [];
    this.#owner = owner;
    try {
      const read = this.#read(value);
      opened?.(this.#undo);
      return read;
    } catch (error) {
      for (const undo of this.#undo) undo();
      throw error instanceof ValueFailure ? error.toError("receive", root) : error;
    } finally {
      this.#undo = [];
      this.#owner = undefined;
    }
  }

  /**
   * A value arrived that nobody wants any more: give back at once what it opens.
   *
   * @param value Decoded, hostile.
   * @throws {SerializationError} As `read()`.
   */
  discard(value: unknown): void {
    let opened: readonly (() => void)[] = [];
    this.read([value], "$", (undo) => opened = undo);
    for (const undo of opened) undo();
  }

  #read(value: unknown): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (Array.isArray(value)) {
      return value[0] instanceof Marker ? this.#marked(value, value[0]) : this.#array(value);
    }
    if (value instanceof Marker) throw new ValueFailure("a marker must begin an array: it does not");
    if (Object.getPrototypeOf(value) === Object.prototype) {
      return this.#record(value as Record<string, unknown>);
    }
    return value;
  }

  #array(value: unknown[]): unknown[] {
    for (let index = 0; index < value.length; index++) {
      const item = value[index];
      if (typeof item !== "object" || item === null) continue;
      if (item instanceof Marker && item.code === MarkerCode.hole) delete value[index];
      else value[index] = this.#item(item, index, value);
    }
    return value;
  }

  #record(value: Record<string, unknown>): Record<string, unknown> {
    for (const key of Object.keys(value)) {
      const item = value[key];
      if (typeof item !== "object" || item === null) continue;
      const read = this.#item(item, key, value);
      if (key === "then" && typeof read === "function") {
        throw new ValueFailure(`a function "then" would make the object a promise: it has one`);
      }
      value[key] = read;
    }
    return value;
  }

  #item(item: unknown, key: string | number, container: object): unknown {
    try {
      return this.#read(item);
    } catch (error) {
      rethrowAt(error, key, container);
    }
  }

  #marked(value: unknown[], marker: Marker): unknown {
    switch (marker.code) {
      case MarkerCode.map:
        return this.#map(value);
      case MarkerCode.set:
        return this.#set(value);
      case MarkerCode.error:
        return this.#error(value);
      case MarkerCode.regexp:
        return attempt(() => new RegExp(text(value[1]), text(value[2])));
      case MarkerCode.url:
        return attempt(() => new URL(text(value[1])));
      case MarkerCode.custom:
        return this.#custom(value);
      case MarkerCode.function:
        return this.#import(value[1], remoteCallback);
      case MarkerCode.object:
        return this.#object(value);
      case MarkerCode.own:
        return this.#parts.references.exported(count(value[1])).target;
      case MarkerCode.stream:
        return this.#stream(value);
      case MarkerCode.signal:
        return this.#signal(value);
      case MarkerCode.hole:
        return this.#array(value);
      default:
        throw new ValueFailure("PROTOCOL.md lists the markers: it is another one");
    }
  }

  #map(value: unknown[]): Map<unknown, unknown> {
    if (value.length % 2 !== 1) throw new ValueFailure("a map needs pairs: an element is missing");
    const map = new Map<unknown, unknown>();
    for (let index = 1; index < value.length; index += 2) {
      map.set(this.#item(value[index], index, value), this.#item(value[index + 1], index + 1, value));
    }
    return map;
  }

  #set(value: unknown[]): Set<unknown> {
    const set = new Set<unknown>();
    for (let index = 1; index < value.length; index++) set.add(this.#item(value[index], index, value));
    return set;
  }

  #error(value: unknown[]): Error {
    const more = value[5];
    if (typeof more !== "object" || more === null || Array.isArray(more)) {
      throw new ValueFailure("an error needs a record of further fields: it has none");
    }
    const stack = value[4] === null ? "" : this.#parts.mapStack(text(value[4]).slice(0, MAX_STACK));
    const error = errorFromFields({
      kind: text(value[1]),
      name: text(value[2]),
      message: text(value[3]),
      stack,
      more: this.#record(more as Record<string, unknown>),
    });
    this.#parts.onPeerError(error);
    return error;
  }

  #custom(value: unknown[]): unknown {
    const tag = text(value[1]);
    const type = this.#parts.types.byTag(tag);
    if (type === undefined) {
      throw new ValueFailure(`type "${tag}" is not registered here: it is unknown`, {
        hint: "Register the type on both sides",
      });
    }
    const payload = this.#item(value[2], 2, value);
    return attempt(() => type.codec.decode(payload, this.#context));
  }

  #object(value: unknown[]): object {
    const methods = memberNames(value[2]);
    const generators = value.length > 3 ? memberNames(value[3]) : [];
    return this.#import(value[1], (id, caller) => remoteObject(id, { methods, generators }, caller));
  }

  #import<T extends object>(
    id: unknown,
    make: (id: number, caller: Parameters<typeof remoteCallback>[1]) => T,
  ): T {
    const { references } = this.#parts;
    const number = count(id);
    const proxy = references.import(number, (caller) => make(number, caller));
    this.#undo.push(() => references.giveBack(proxy));
    return proxy;
  }

  #signal(value: unknown[]): AbortSignal {
    if (value[1] === 0) return AbortSignal.abort(this.#item(value[2], 2, value));
    const id = count(value[1]);
    if (this.#owner === undefined) {
      throw new ValueFailure("a signal crosses only as an argument of a call: it is elsewhere");
    }
    return this.#parts.signals.accept(id, this.#owner);
  }

  #stream(value: unknown[]): unknown {
    const { streams } = this.#parts;
    const id = count(value[1]);
    const stream = streams.accept(id, value[2] === true);
    this.#undo.push(() => streams.refuse(id));
    return stream;
  }
}

function attempt<T>(make: () => T): T {
  try {
    return make();
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new ValueFailure(`it must be valid: ${message}`, { cause });
  }
}

function memberNames(value: unknown): readonly string[] {
  if (!Array.isArray(value) || value.length > MAX_MEMBERS) {
    throw new ValueFailure("a handle needs members: it has none");
  }
  for (const member of value) {
    if (text(member) === "then") {
      throw new ValueFailure(`a handle must not have a method "then": it has one`);
    }
  }
  return value;
}

function text(value: unknown): string {
  if (typeof value === "string") return value;
  throw new ValueFailure("a field of a marker must be a string: it is not");
}

function count(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value) && value >= 1) return value;
  throw new ValueFailure("a field of a marker must be a positive integer: it is not");
}
