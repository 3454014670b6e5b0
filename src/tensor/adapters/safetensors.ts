/**
 * Files of the safetensors format: a length, a JSON header, and the elements of all tensors.
 *
 * @module
 */

import { bytesOf } from "../copy_elements.ts";
import { dtypeFacts } from "../dtype.ts";
import { elementCount } from "../shape.ts";
import { Storage } from "../storage.ts";
import { Tensor } from "../tensor.ts";
import type { Dtype } from "../types.ts";

const NAMES: Readonly<Record<string, Dtype>> = {
  F16: "float16",
  BF16: "bfloat16",
  F32: "float32",
  F64: "float64",
  I8: "int8",
  I16: "int16",
  I32: "int32",
  I64: "int64",
  U8: "uint8",
  U16: "uint16",
  U32: "uint32",
  U64: "uint64",
  BOOL: "bool",
};
const LENGTH_BYTES = 8;
const MAX_HEADER_BYTES = 100 * 2 ** 20;
const ALIGNMENT = 8;

interface Entry {
  readonly name: string;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  readonly start: number;
  readonly end: number;
}

/** What a file contains. */
export interface SafetensorsFile {
  /** Every tensor by its name. */
  readonly tensors: ReadonlyMap<string, Tensor>;
  /** Texts that describe the file. */
  readonly metadata: Readonly<Record<string, string>>;
}

/**
 * The tensors of a file. They show the bytes of the file where their alignment allows it; the others are copied.
 *
 * @param file The whole file.
 * @returns The tensors; the caller disposes them.
 * @throws {RangeError} If the file is not what it says: lengths, offsets or sizes do not fit.
 * @throws {TypeError} If the header is no header, or a dtype is unknown.
 *
 * @example
 * ```ts
 * import { readSafetensors, Tensor, writeSafetensors } from "../mod.ts";
 *
 * using tensor = Tensor.from([1, 2, 3, 4], { shape: [2, 2] });
 * const file = writeSafetensors({ weights: tensor });
 * console.assert(readSafetensors(file).tensors.get("weights")?.at(1, 0) === 3);
 * ```
 */
export function readSafetensors(file: Uint8Array): SafetensorsFile {
  const { entries, metadata, dataStart } = readHeader(file);
  const tensors = new Map<string, Tensor>();
  for (const entry of entries) tensors.set(entry.name, readTensor(file, dataStart, entry));
  return { tensors, metadata };
}

/**
 * A file with the given tensors, in the order of the names given.
 *
 * @param tensors The tensors by name.
 * @param metadata Texts that describe the file. @default {}
 * @returns The whole file.
 *
 * @example
 * ```ts
 * import { Tensor, writeSafetensors } from "../mod.ts";
 *
 * using weights = Tensor.from([1, 2, 3, 4], { shape: [2, 2] });
 * const file = writeSafetensors({ weights }, { author: "me" });
 * console.assert(file.byteLength > weights.byteLength);
 * ```
 */
export function writeSafetensors(
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>> = {},
): Uint8Array {
  const header: Record<string, unknown> = Object.keys(metadata).length === 0
    ? {}
    : { __metadata__: metadata };
  let end = 0;
  for (const [name, { dtype, shape, byteLength }] of Object.entries(tensors)) {
    header[name] = { dtype: formatName(dtype), shape, data_offsets: [end, end += byteLength] };
  }
  const text = JSON.stringify(header);
  const padded = Math.ceil(new TextEncoder().encode(text).length / ALIGNMENT) * ALIGNMENT;
  const file = new Uint8Array(LENGTH_BYTES + padded + end);
  file.fill(0x20, LENGTH_BYTES, LENGTH_BYTES + padded);
  new DataView(file.buffer).setBigUint64(0, BigInt(padded), true);
  new TextEncoder().encodeInto(text, file.subarray(LENGTH_BYTES));
  let at = LENGTH_BYTES + padded;
  for (const tensor of Object.values(tensors)) {
    file.set(bytesOf(tensor.isContiguous ? tensor.data : tensor.toTyped()), at);
    at += tensor.byteLength;
  }
  return file;
}

function readHeader(file: Uint8Array): {
  readonly entries: readonly Entry[];
  readonly metadata: Readonly<Record<string, string>>;
  readonly dataStart: number;
} {
  if (file.byteLength < LENGTH_BYTES) throw broken("it is shorter than its length field");
  const view = new DataView(bytesOf(file).buffer, file.byteOffset, file.byteLength);
  const length = Number(view.getBigUint64(0, true));
  const dataStart = LENGTH_BYTES + length;
  if (length > MAX_HEADER_BYTES || dataStart > file.byteLength) {
    throw broken(`its header of ${length} bytes is too long`);
  }
  const header: unknown = JSON.parse(new TextDecoder().decode(file.slice(LENGTH_BYTES, dataStart)));
  if (!isRecord(header)) {
    throw new TypeError("Cannot read a safetensors file as its header must be an object");
  }
  const { __metadata__: metadata = {}, ...described } = header;
  const entries = Object.entries(described).map(([name, value]) =>
    readEntry(name, value, file.byteLength - dataStart)
  );
  return { entries, metadata: isRecord(metadata) ? metadata as Record<string, string> : {}, dataStart };
}

function readEntry(name: string, value: unknown, dataBytes: number): Entry {
  if (!isRecord(value)) throw new TypeError(`Cannot read tensor "${name}" as its entry must be an object`);
  const { dtype: format, shape, data_offsets: offsets } = value;
  const dtype = typeof format === "string" && Object.hasOwn(NAMES, format) ? NAMES[format] : undefined;
  if (dtype === undefined) {
    throw new TypeError(`Cannot read tensor "${name}" as its dtype is unknown: ${String(format)}`);
  }
  if (!Array.isArray(shape) || !Array.isArray(offsets) || offsets.length !== 2) {
    throw new TypeError(`Cannot read tensor "${name}" as its shape and offsets must be lists`);
  }
  const [start, end] = offsets as [number, number];
  const bytes = elementCount(shape) * dtypeFacts(dtype).bytes;
  const fits = Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 &&
    end - start === bytes &&
    end <= dataBytes;
  if (!fits) throw broken(`tensor "${name}" of ${bytes} bytes cannot lie from ${start} to ${end}`);
  return { name, dtype, shape, start, end };
}

function readTensor(file: Uint8Array, dataStart: number, { dtype, shape, start, end }: Entry): Tensor {
  const at = file.byteOffset + dataStart + start;
  const bytes = end - start;
  const buffer = bytesOf(file).buffer as ArrayBuffer;
  const isAligned = at % dtypeFacts(dtype).bytes === 0;
  const storage = isAligned && bytes > 0
    ? new Storage({ buffer, byteOffset: at, bytes })
    : new Storage({ buffer: buffer.slice(at, at + bytes), bytes });
  return new Tensor({ storage, dtype, shape });
}

function formatName(dtype: Dtype): string {
  for (const [name, known] of Object.entries(NAMES)) if (known === dtype) return name;
  throw new TypeError(`Cannot write dtype "${dtype}" as the format has no name for it`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function broken(why: string): RangeError {
  return new RangeError(`Cannot read a safetensors file as ${why}`);
}
