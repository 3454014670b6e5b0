/**
 * Messages with values of this process → frames. Checks and writes in one pass.
 *
 * @module
 */

import type { FrameBody } from "../transport/mod.ts";
import { ByteWriter, isExactInUtf8 } from "./byte_writer.ts";
import { checkName, isStream, unclonable } from "./crossing_rules.ts";
import { errorFields } from "./error_fields.ts";
import { HandleMark } from "./handle_mark.ts";
import type { Message } from "./messages.ts";
import type { ReferenceTable } from "./references.ts";
import type { SignalOwner, SignalTable } from "./signal_table.ts";
import type { StreamTable } from "./stream_table.ts";
import type { CodecContext } from "./types.ts";
import type { RpcSession } from "./session.ts";
import type { TypeRegistry } from "./type_registry.ts";
import { rethrowAt, ValueFailure } from "./value_path.ts";
import { ConstantCode, ExtensionType, MarkerCode, viewTypeOf } from "./wire_types.ts";

/** What a writer needs of its session. */
export interface WriterParts {
  readonly session: RpcSession;
  readonly references: ReferenceTable;
  readonly streams: StreamTable;
  readonly signals: SignalTable;
  readonly types: TypeRegistry;
  /** Errors carry our stack. */
  readonly sendStacks: boolean;
  /** Bytes that wait for the peer, or for its answer. */
  readonly bytesInFlight: () => number;
}

/** Bounds that the peer applies to what we send. */
export interface WriterLimits {
  readonly maxNesting: number;
  readonly maxValues: number;
  readonly maxFrameBytes: number;
}

/** The message itself is the first level, and counts as a value. */
const FIELD_DEPTH = 2;

/** Beyond this large values had better take another way, if they have one. */
const MAX_BYTES_IN_FLIGHT = 8 * 1024 * 1024;

const hexEncoder = new TextEncoder();

/**
 * Writes the frames of one session, one at a time. References and streams that the values of a frame open are taken
 * back by `rollback()`.
 */
export class ValueWriter {
  readonly #parts: WriterParts;
  readonly #context: CodecContext;
  readonly #out = new ByteWriter();
  #undo: (() => void)[] = [];
  #left = 0;
  #owner: SignalOwner | undefined;
  #limits: WriterLimits = { maxNesting: 0, maxValues: 0, maxFrameBytes: 0 };

  /**
   * @param parts Of the session.
   */
  constructor(parts: WriterParts) {
    this.#parts = parts;
    const frameRoom = () => this.#frameRoom();
    this.#context = {
      session: parts.session,
      get frameRoom() {
        return frameRoom();
      },
      rollback: (undo) => void this.#undo.push(undo),
    };
  }

  /**
   * Write one message. `commit()` or `rollback()` follows. Must not be called while it runs.
   *
   * @param message Its fields may be any values.
   * @param root What its value is called in errors, such as `"$.args"`.
   * @param limits What the peer accepts.
   * @param owner The call that signals among the values belong to; without it there may be none.
   * @returns The frame but for `bodies()`. Borrowed: valid until the next call.
   * @throws {SerializationError} If a value cannot cross.
   * @throws {LimitExceededError} If the frame grows far beyond `maxFrameBytes`; the caller checks its size.
   */
  write(message: Message, root: string, limits: WriterLimits, owner?: SignalOwner): Uint8Array {
    this.#owner = owner;
    this.#limits = limits;
    this.#left = limits.maxValues - 1;
    this.#out.clear();
    this.#out.maxBytes = limits.maxFrameBytes;
    const { length } = message;
    try {
      this.#tally(length);
      this.#out.array(length);
      for (let index = 0; index < length; index++) this.#write(message[index], FIELD_DEPTH);
      if (!this.#out.areBodiesWhole()) {
        throw new ValueFailure("bytes must stay as they are while they are sent: they were transferred");
      }
    } catch (error) {
      throw error instanceof ValueFailure ? error.toError("send", root) : error;
    } finally {
      this.#owner = undefined;
    }
    return this.#out.frame();
  }

  /** Size of the frame in bytes. */
  get length(): number {
    return this.#out.length;
  }

  /** Large binaries of the frame, in the sender's memory. */
  bodies(): readonly FrameBody[] | undefined {
    return this.#out.bodies();
  }

  /** The frame is on its way. */
  commit(): void {
    if (this.#undo.length > 0) this.#undo = [];
  }

  /** The frame was not sent: take back what its values opened. */
  rollback(): void {
    const undo = this.#undo;
    this.#undo = [];
    for (const step of undo) step();
  }

  #frameRoom(): number {
    const bound = Math.min(this.#limits.maxFrameBytes / 2, MAX_BYTES_IN_FLIGHT);
    return Math.max(0, bound - this.#out.length - this.#parts.bytesInFlight());
  }

  #write(value: unknown, depth: number): void {
    switch (typeof value) {
      case "string":
        return this.#out.text(value);
      case "number":
        return this.#out.number(value);
      case "boolean":
        return this.#out.boolean(value);
      case "undefined":
        return this.#out.constant(ConstantCode.undefined);
      case "object":
        if (value === null) return this.#out.nil();
        return this.#object(value, depth);
      case "function":
        return this.#function(value);
      case "bigint":
        return this.#out.extension(ExtensionType.bigint, hexEncoder.encode(value.toString(16)));
      default:
        throw new ValueFailure("a symbol cannot cross: its identity would be lost");
    }
  }

  #object(value: object, depth: number): void {
    if (depth > this.#limits.maxNesting) {
      throw new ValueFailure(`"maxNesting" is ${this.#limits.maxNesting}: it is nested deeper`, {
        isTooDeep: true,
      });
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Object.prototype) this.#record(value as Record<string, unknown>, depth);
    else if (prototype === Array.prototype) this.#array(value as unknown[], depth);
    else if (prototype === null) this.#bare(value as Record<string, unknown>, depth);
    else this.#instance(value, depth);
  }

  #array(value: readonly unknown[], depth: number): void {
    const { length } = value;
    this.#tally(length);
    this.#out.array(length);
    let index = 0;
    try {
      for (; index < length; index++) {
        const item = value[index];
        if (item === undefined && !(index in value)) this.#out.marker(MarkerCode.hole);
        else this.#write(item, depth + 1);
      }
    } catch (error) {
      rethrowAt(error, index, value);
    }
  }

  #record(value: Record<string, unknown>, depth: number): void {
    const keys = Object.keys(value);
    this.#tally(keys.length * 2);
    this.#out.map(keys.length);
    let index = 0;
    try {
      for (; index < keys.length; index++) {
        const key = keys[index]!;
        const item = value[key];
        if (key === "__proto__" || key === "then") checkName(key, item);
        this.#key(key);
        this.#write(item, depth + 1);
      }
    } catch (error) {
      rethrowAt(error, keys[index]!, value);
    }
  }

  /** A key has to be a string on the wire. */
  #key(key: string): void {
    if (this.#out.shortAscii(key)) return;
    if (!isExactInUtf8(key)) throw new ValueFailure("a key must be well-formed Unicode: it is not");
    this.#out.text(key);
  }

  /** Without a prototype: a record, or an object of the peer that goes home. */
  #bare(value: Record<string, unknown>, depth: number): void {
    const id = this.#parts.references.importedId(value);
    if (id === undefined) return this.#record(value, depth);
    this.#mark(MarkerCode.own, 1);
    this.#out.number(id);
  }

  /** Anything with a class of its own. Registered types come first. */
  #instance(value: object, depth: number): void {
    const custom = this.#parts.types.match(value, this.#context);
    if (custom !== undefined) {
      const payload = custom.codec.encode(value, this.#context);
      this.#mark(MarkerCode.custom, 2);
      this.#out.text(custom.tag);
      return this.#write(payload, depth + 1);
    }
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (value instanceof ArrayBuffer) {
      checkThere(value);
      return this.#out.extension(ExtensionType.arrayBuffer, new Uint8Array(value));
    }
    if (value instanceof Date) return this.#out.date(value.getTime());
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof Set) return this.#set(value, depth);
    if (value instanceof RegExp) {
      this.#mark(MarkerCode.regexp, 2);
      return this.#texts(value.source, value.flags);
    }
    if (value instanceof URL) {
      this.#mark(MarkerCode.url, 1);
      return this.#texts(value.href);
    }
    if (value instanceof Error) return this.#error(value, depth);
    if (value instanceof HandleMark) return this.#handle(value);
    if (isStream(value)) return this.#stream(value);
    if (value instanceof AbortSignal) return this.#signal(value, depth);
    unclonable(value);
  }

  #view(value: ArrayBufferView): void {
    checkThere(value.buffer as ArrayBuffer);
    if (value instanceof Uint8Array) return this.#out.binary(value);
    const type = viewTypeOf(value) ?? unclonable(value);
    this.#out.extension(
      type,
      new Uint8Array(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength),
    );
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): void {
    const entries = [...value];
    this.#mark(MarkerCode.map, entries.length * 2);
    for (const [index, [key, item]] of entries.entries()) {
      try {
        this.#write(key, depth + 1);
        this.#write(item, depth + 1);
      } catch (error) {
        rethrowAt(error, typeof key === "string" ? key : index, value);
      }
    }
  }

  #set(value: ReadonlySet<unknown>, depth: number): void {
    const items = [...value];
    this.#mark(MarkerCode.set, items.length);
    for (const [index, item] of items.entries()) {
      try {
        this.#write(item, depth + 1);
      } catch (error) {
        rethrowAt(error, index, value);
      }
    }
  }

  #error(value: Error, depth: number): void {
    const fields = errorFields(value, this.#parts.sendStacks);
    this.#mark(MarkerCode.error, 5);
    this.#texts(fields.kind, fields.name, fields.message);
    if (this.#parts.sendStacks) this.#out.text(fields.stack);
    else this.#out.nil();
    const more = Object.entries(fields.more);
    this.#tally(more.length * 2);
    this.#out.map(more.length);
    for (const [key, item] of more) {
      try {
        this.#key(key);
        this.#write(item, depth + 2);
      } catch (error) {
        rethrowAt(error, key, value);
      }
    }
  }

  // deno-lint-ignore ban-types
  #function(value: Function): void {
    const id = this.#parts.references.importedId(value);
    this.#mark(id === undefined ? MarkerCode.function : MarkerCode.own, 1);
    this.#out.number(id ?? this.#export(value));
  }

  #handle(value: HandleMark): void {
    const { generators } = value;
    this.#mark(MarkerCode.object, generators.size === 0 ? 2 : 3);
    this.#out.number(this.#export(value.target, value.members));
    this.#names([...value.members.keys()].filter((name) => !generators.has(name)));
    if (generators.size > 0) this.#names([...generators]);
  }

  #names(names: readonly string[]): void {
    this.#tally(names.length);
    this.#out.array(names.length);
    for (const name of names) this.#out.text(name);
  }

  #export(target: object, members?: HandleMark["members"]): number {
    const { references } = this.#parts;
    const { id } = references.export(target, members);
    this.#undo.push(() => references.takeBack(id, 1));
    return id;
  }

  #stream(value: AsyncIterable<unknown>): void {
    const { streams } = this.#parts;
    const id = streams.open(value);
    this.#undo.push(() => streams.takeBack(id));
    this.#mark(MarkerCode.stream, 2);
    this.#out.number(id);
    this.#out.boolean(value instanceof ReadableStream);
  }

  #signal(signal: AbortSignal, depth: number): void {
    if (this.#owner === undefined) {
      throw new ValueFailure("a signal crosses only as an argument of a call: it is elsewhere", {
        hint: "It lives as long as a call: pass it as an argument of one, or in its options",
      });
    }
    if (signal.aborted) {
      this.#mark(MarkerCode.signal, 2);
      this.#out.number(0);
      return this.#write(signal.reason, depth + 1);
    }
    const { signals } = this.#parts;
    const id = signals.send(signal, this.#owner);
    this.#undo.push(() => signals.forget([id]));
    this.#mark(MarkerCode.signal, 1);
    this.#out.number(id);
  }

  #texts(...texts: readonly string[]): void {
    for (const text of texts) this.#out.text(text);
  }

  /** The head and the marker of an array with `fields` more elements, which follow. */
  #mark(code: number, fields: number): void {
    this.#tally(fields + 1);
    this.#out.array(fields + 1);
    this.#out.marker(code);
  }

  #tally(values: number): void {
    this.#left -= values;
    if (this.#left >= 0) return;
    throw new ValueFailure(`"maxValues" is ${this.#limits.maxValues}: it holds more`, {
      hint: "Send large data as typed arrays, a stream or a tensor",
    });
  }
}

function checkThere(buffer: ArrayBuffer): void {
  if (!buffer.detached) return;
  throw new ValueFailure("bytes must be there to be sent: their buffer was transferred");
}
