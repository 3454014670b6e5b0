/**
 * Values of this process → values that MessagePack with our extensions can carry.
 *
 * @module
 */

import { ExtData } from "@msgpack/msgpack";
import { errorFields } from "./error_fields.ts";
import { HandleMark } from "./handle_mark.ts";
import type { ReferenceTable } from "./references.ts";
import type { StreamTable } from "./stream_table.ts";
import type { CodecContext } from "./types.ts";
import type { RpcSession } from "./session.ts";
import type { TypeRegistry } from "./type_registry.ts";
import { rethrowAt, ValueFailure } from "./value_path.ts";
import {
  bigintExtension,
  dateExtension,
  ExtensionType,
  MarkerCode,
  markers,
  NEGATIVE_ZERO,
  UNDEFINED,
  utf16Extension,
  viewExtension,
} from "./wire_types.ts";

/** What a writer needs of its session. */
export interface WriterParts {
  readonly session: RpcSession;
  readonly references: ReferenceTable;
  readonly streams: StreamTable;
  readonly types: TypeRegistry;
  /** Errors carry our stack. */
  readonly sendStacks: boolean;
}

/** Bounds that the peer applies to what we send. */
export interface WriterLimits {
  maxNesting: number;
  maxValues: number;
}

/** Levels that the message around a value takes. */
const MESSAGE_LEVELS = 2;

/**
 * Prepares values for the codec. What is plain is returned as it is; the rest is copied with markers in it.
 * References and streams that a value opens are taken back by `rollback()`.
 */
export class ValueWriter {
  readonly #parts: WriterParts;
  readonly #context: CodecContext;
  #undo: (() => void)[] = [];
  #count = 0;
  #isWriting = false;
  readonly #suspended: { readonly undo: (() => void)[]; readonly count: number }[] = [];
  /** Replaced when the peer has told its limits. */
  limits: WriterLimits;

  /**
   * @param parts Of the session.
   * @param limits Bounds on one value.
   */
  constructor(parts: WriterParts, limits: WriterLimits) {
    this.#parts = parts;
    this.limits = limits;
    this.#context = { session: parts.session, rollback: (undo) => void this.#undo.push(undo) };
  }

  /**
   * Prepare one value.
   *
   * @param value Anything.
   * @param root What it is called in errors, such as `"$.args"`.
   * @returns The value itself, or a copy with extensions in it.
   * @throws {SerializationError} If it cannot cross; what it opened is taken back.
   */
  write(value: unknown, root: string): unknown {
    // A custom encoder may make calls, and so come back here.
    if (this.#isWriting) this.#suspended.push({ undo: this.#undo, count: this.#count });
    if (this.#isWriting || this.#undo.length > 0) this.#undo = [];
    const outer = this.#isWriting;
    this.#isWriting = true;
    this.#count = 0;
    try {
      return this.#write(value, MESSAGE_LEVELS);
    } catch (error) {
      this.rollback();
      throw error instanceof ValueFailure ? error.toError("send", root) : error;
    } finally {
      this.#isWriting = outer;
    }
  }

  /** The frame with the last value is on its way. */
  commit(): void {
    if (this.#undo.length > 0 || this.#suspended.length > 0) this.#resume();
  }

  /** The frame with the last value was not sent: take back what it opened. */
  rollback(): void {
    const undo = this.#undo;
    this.#resume();
    for (const step of undo) step();
  }

  #resume(): void {
    const outer = this.#suspended.pop();
    this.#undo = outer?.undo ?? [];
    this.#count = outer?.count ?? 0;
  }

  #write(value: unknown, depth: number): unknown {
    switch (typeof value) {
      case "string":
        return isExactInUtf8(value) ? value : utf16Extension(value);
      case "number":
        return value === 0 && 1 / value < 0 ? NEGATIVE_ZERO : value;
      case "boolean":
        return value;
      case "undefined":
        return UNDEFINED;
      case "object":
        if (value === null) return null;
        return this.#object(value, depth);
      case "function":
        return this.#function(value);
      case "bigint":
        return bigintExtension(value);
      default:
        throw new ValueFailure("a symbol cannot cross: its identity would be lost");
    }
  }

  #object(value: object, depth: number): unknown {
    if (depth > this.limits.maxNesting) {
      throw new ValueFailure(`"maxNesting" is ${this.limits.maxNesting}: it is nested deeper`, {
        isTooDeep: true,
      });
    }
    const prototype = Object.getPrototypeOf(value);
    if (prototype === Array.prototype) return this.#array(value as unknown[], depth);
    if (prototype === Object.prototype || prototype === null) {
      return this.#record(value as Record<string, unknown>, depth);
    }
    return this.#instance(value, depth);
  }

  #array(value: readonly unknown[], depth: number): readonly unknown[] {
    let copy: unknown[] | undefined;
    const length = value.length;
    this.#tally(length);
    for (let index = 0; index < length; index++) {
      const item = value[index];
      try {
        const written = item === undefined && !(index in value)
          ? markers.get(MarkerCode.hole)
          : this.#write(item, depth + 1);
        if (written !== item) (copy ??= value.slice())[index] = written;
      } catch (error) {
        rethrowAt(error, index, value);
      }
    }
    return copy ?? value;
  }

  #record(value: Record<string, unknown>, depth: number): Record<string, unknown> {
    const id = this.#parts.references.importedId(value);
    if (id !== undefined) return this.#marked(MarkerCode.own, id) as unknown as Record<string, unknown>;
    let copy: Record<string, unknown> | undefined;
    const keys = Object.keys(value);
    this.#tally(keys.length * 2);
    for (const key of keys) {
      const item = value[key];
      try {
        checkKey(key, item);
        const written = this.#write(item, depth + 1);
        if (written !== item) (copy ??= { ...value })[key] = written;
      } catch (error) {
        rethrowAt(error, key, value);
      }
    }
    return copy ?? value;
  }

  /** Anything with a class of its own. Registered types come first. */
  #instance(value: object, depth: number): unknown {
    const custom = this.#parts.types.match(value);
    if (custom !== undefined) {
      const payload = custom.codec.encode(value, this.#context);
      return this.#marked(MarkerCode.custom, custom.tag, this.#write(payload, depth + 1));
    }
    if (ArrayBuffer.isView(value)) return this.#view(value);
    if (value instanceof ArrayBuffer) return new ExtData(ExtensionType.arrayBuffer, new Uint8Array(value));
    if (value instanceof Date) return dateExtension(value);
    if (value instanceof Map) return this.#map(value, depth);
    if (value instanceof Set) return this.#set(value, depth);
    if (value instanceof RegExp) return this.#marked(MarkerCode.regexp, value.source, value.flags);
    if (value instanceof URL) return this.#marked(MarkerCode.url, value.href);
    if (value instanceof Error) return this.#error(value, depth);
    return this.#reference(value) ?? this.#stream(value) ?? unclonable(value);
  }

  #view(value: ArrayBufferView): unknown {
    if (value instanceof Uint8Array) return value;
    return viewExtension(value) ?? unclonable(value);
  }

  #map(value: ReadonlyMap<unknown, unknown>, depth: number): readonly unknown[] {
    const written: unknown[] = [markers.get(MarkerCode.map)];
    this.#tally(value.size * 2 + 1);
    let index = 0;
    for (const [key, item] of value) {
      try {
        written.push(this.#write(key, depth + 1), this.#write(item, depth + 1));
      } catch (error) {
        rethrowAt(error, typeof key === "string" ? key : index, value);
      }
      index++;
    }
    return written;
  }

  #set(value: ReadonlySet<unknown>, depth: number): readonly unknown[] {
    const written: unknown[] = [markers.get(MarkerCode.set)];
    this.#tally(value.size + 1);
    for (const item of value) {
      try {
        written.push(this.#write(item, depth + 1));
      } catch (error) {
        rethrowAt(error, written.length - 1, value);
      }
    }
    return written;
  }

  #error(value: Error, depth: number): readonly unknown[] {
    const fields = errorFields(value, this.#parts.sendStacks);
    const more: Record<string, unknown> = {};
    this.#tally(8);
    for (const [key, item] of Object.entries(fields.more)) {
      try {
        more[key] = this.#write(item, depth + 2);
      } catch (error) {
        rethrowAt(error, key, value);
      }
    }
    const stack = this.#parts.sendStacks ? this.#write(fields.stack, depth) : null;
    return this.#marked(
      MarkerCode.error,
      fields.kind,
      this.#write(fields.name, depth),
      this.#write(fields.message, depth),
      stack,
      more,
    );
  }

  // deno-lint-ignore ban-types
  #function(value: Function): readonly unknown[] {
    const id = this.#parts.references.importedId(value);
    if (id !== undefined) return this.#marked(MarkerCode.own, id);
    return this.#marked(MarkerCode.function, this.#export(value));
  }

  #reference(value: object): readonly unknown[] | undefined {
    if (!(value instanceof HandleMark)) return undefined;
    return this.#marked(MarkerCode.object, this.#export(value.target, value.members), [
      ...value.members.keys(),
    ]);
  }

  #export(target: object, members?: HandleMark["members"]): number {
    const { references } = this.#parts;
    const { id } = references.export(target, members);
    this.#undo.push(() => references.takeBack(id, 1));
    return id;
  }

  #stream(value: object): readonly unknown[] | undefined {
    const isReadable = value instanceof ReadableStream;
    if (!isReadable && !isAsyncIterable(value) && !isGenerator(value)) return undefined;
    const { streams } = this.#parts;
    const id = streams.open(value as AsyncIterable<unknown>);
    this.#undo.push(() => streams.takeBack(id));
    return this.#marked(MarkerCode.stream, id, isReadable);
  }

  #marked(code: number, ...fields: readonly unknown[]): readonly [ExtData | undefined, ...unknown[]] {
    this.#tally(fields.length + 1);
    return [markers.get(code), ...fields];
  }

  #tally(values: number): void {
    this.#count += values;
    if (this.#count <= this.limits.maxValues) return;
    throw new ValueFailure(`"maxValues" is ${this.limits.maxValues}: it holds more`, {
      hint: "Send large data as typed arrays, a stream or a tensor",
    });
  }
}

/** Lone surrogates have no UTF-8, and decoders drop a byte order mark. */
function isExactInUtf8(text: string): boolean {
  return text.isWellFormed() && text.charCodeAt(0) !== 0xfeff;
}

function checkKey(key: string, item: unknown): void {
  if (key === "__proto__") {
    throw new ValueFailure(`a key "__proto__" cannot cross: it would name the prototype`);
  }
  if (key === "then" && typeof item === "function") {
    throw new ValueFailure(`a function "then" would make the object a promise: rename it`);
  }
  if (!isExactInUtf8(key)) throw new ValueFailure("a key must be well-formed Unicode: it is not");
}

function isAsyncIterable(value: object): value is AsyncIterable<unknown> {
  return typeof (value as Partial<AsyncIterable<unknown>>)[Symbol.asyncIterator] === "function";
}

function isGenerator(value: object): boolean {
  return Object.prototype.toString.call(value) === "[object Generator]";
}

function unclonable(value: object): never {
  if (value instanceof Promise) {
    throw new ValueFailure("a promise cannot cross: it is not settled", { hint: "Await it first" });
  }
  if (value instanceof AbortSignal) {
    throw new ValueFailure("a signal crosses only beside the arguments: it is among the values", {
      hint: "Pass it in the call's options",
    });
  }
  const name = Object.getPrototypeOf(value)?.constructor?.name;
  throw new ValueFailure(
    `only plain values cross by value: it is an instance of "${String(name ?? "no class")}"`,
    {
      hint: "Send a plain object, mark it with handle(), or register its type on both sides",
    },
  );
}
