/**
 * Custom types that cross a session.
 *
 * @module
 */

import type { CodecContext, TypeCodec } from "./types.ts";

/** Tags of Cordon's own types. */
const RESERVED_TAGS: ReadonlySet<string> = new Set(["tensor", "array", "cuda"]);

/**
 * Check what a user wants to register.
 *
 * @param tag Name on the wire.
 * @param codec How its values cross.
 * @throws {TypeError} If the tag is empty or one of Cordon's own, or the codec lacks a function.
 */
export function checkCustomType(tag: string, codec: TypeCodec<unknown>): void {
  if (typeof tag !== "string" || tag === "" || RESERVED_TAGS.has(tag)) {
    throw new TypeError(
      `Cannot register type "${tag}" as a tag is a name that Cordon does not use: it is ${
        RESERVED_TAGS.has(tag) ? "reserved" : "none"
      }`,
    );
  }
  const missing = (["test", "encode", "decode"] as const).find((name) => typeof codec?.[name] !== "function");
  if (missing === undefined) return;
  throw new TypeError(
    `Cannot register type "${tag}" as a codec has the functions test, encode and decode: "${missing}" is missing`,
  );
}

/** A custom type with its tag. */
export interface RegisteredType {
  /** Name on the wire. */
  readonly tag: string;
  /** How its values cross. */
  readonly codec: TypeCodec<unknown>;
}

/**
 * Custom types by tag. Both sides register the same tags.
 *
 * @example
 * ```ts
 * import { TypeRegistry } from "./type_registry.ts";
 *
 * class Point {
 *   constructor(readonly x: number, readonly y: number) {}
 * }
 * const types = new TypeRegistry();
 * types.register<Point>("point", {
 *   test: (value): value is Point => value instanceof Point,
 *   encode: (point) => [point.x, point.y],
 *   decode: (payload) => {
 *     if (!Array.isArray(payload)) throw new TypeError("Cannot decode a point");
 *     return new Point(Number(payload[0]), Number(payload[1]));
 *   },
 * });
 * ```
 */
export class TypeRegistry {
  readonly #byTag = new Map<string, RegisteredType>();
  readonly #all: RegisteredType[] = [];

  /**
   * Add a type. Types are tried in the order of their registration.
   *
   * @param tag Name on the wire, the same on both sides.
   * @param codec How its values cross.
   * @throws {TypeError} If the tag is taken or empty.
   */
  register<T>(tag: string, codec: TypeCodec<T>): void {
    if (tag === "") throw new TypeError(`Cannot register a type as its tag must not be empty: ""`);
    if (this.#byTag.has(tag)) {
      throw new TypeError(`Cannot register type "${tag}" as tags must be unique: it is registered already`);
    }
    const type: RegisteredType = { tag, codec: codec as TypeCodec<unknown> };
    this.#byTag.set(tag, type);
    this.#all.push(type);
  }

  /**
   * The first type that claims a value.
   *
   * @param value A class instance or an ArrayBuffer view.
   * @param context Of the message.
   * @returns The type, if there is one.
   */
  match(value: object, context: CodecContext): RegisteredType | undefined {
    for (const type of this.#all) if (type.codec.test(value, context)) return type;
    return undefined;
  }

  /**
   * The type with a tag.
   *
   * @param tag Name on the wire.
   * @returns The type, if there is one.
   */
  byTag(tag: string): RegisteredType | undefined {
    return this.#byTag.get(tag);
  }
}
