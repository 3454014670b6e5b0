/**
 * What MessagePack itself has no type for: extension types for leaves, markers for containers.
 *
 * @module
 */

import { ExtData } from "@msgpack/msgpack";
import type { ExtensionCodecType } from "@msgpack/msgpack";
import { ProtocolError } from "../errors.ts";

/** Extension types. Those from `int8` on hold the bytes of an ArrayBuffer view, little-endian. */
export const ExtensionType = {
  constant: 1,
  marker: 2,
  date: 3,
  bigint: 4,
  utf16: 5,
  arrayBuffer: 16,
  dataView: 17,
  int8: 18,
  uint8Clamped: 19,
  int16: 20,
  uint16: 21,
  int32: 22,
  uint32: 23,
  bigInt64: 24,
  bigUint64: 25,
  float16: 26,
  float32: 27,
  float64: 28,
} as const;

/** First element of an array that stands for something else. */
export const MarkerCode = {
  map: 0x4d,
  set: 0x53,
  error: 0x45,
  regexp: 0x52,
  url: 0x55,
  custom: 0x54,
  function: 0x46,
  object: 0x4f,
  own: 0x42,
  stream: 0x47,
  /** Not a first element: stands where a sparse array has no element. */
  hole: 0x48,
} as const;

/** A decoded marker. Never reaches user code. */
export class Marker {
  /** One of `MarkerCode`. */
  readonly code: number;

  /**
   * @param code One of `MarkerCode`.
   */
  constructor(code: number) {
    this.code = code;
  }
}

const UNDEFINED_CODE = 0;
const NEGATIVE_ZERO_CODE = 1;

/** `undefined` on the wire. */
export const UNDEFINED: ExtData = new ExtData(ExtensionType.constant, new Uint8Array([UNDEFINED_CODE]));
/** −0 on the wire; the codec would write it as the integer 0. */
export const NEGATIVE_ZERO: ExtData = new ExtData(
  ExtensionType.constant,
  new Uint8Array([NEGATIVE_ZERO_CODE]),
);

/** Every marker ready to be put into a message. */
export const markers: ReadonlyMap<number, ExtData> = new Map(
  Object.values(MarkerCode).map((code) => [code, new ExtData(ExtensionType.marker, new Uint8Array([code]))]),
);
const decodedMarkers: ReadonlyMap<number, Marker> = new Map(
  Object.values(MarkerCode).map((code) => [code, new Marker(code)]),
);

type View = new (buffer: ArrayBuffer) => ArrayBufferView;

const viewTypes: readonly (readonly [number, View, number])[] = [
  [ExtensionType.int8, Int8Array, 1],
  [ExtensionType.uint8Clamped, Uint8ClampedArray, 1],
  [ExtensionType.int16, Int16Array, 2],
  [ExtensionType.uint16, Uint16Array, 2],
  [ExtensionType.int32, Int32Array, 4],
  [ExtensionType.uint32, Uint32Array, 4],
  [ExtensionType.bigInt64, BigInt64Array, 8],
  [ExtensionType.bigUint64, BigUint64Array, 8],
  [ExtensionType.float16, Float16Array, 2],
  [ExtensionType.float32, Float32Array, 4],
  [ExtensionType.float64, Float64Array, 8],
  [ExtensionType.dataView, DataView, 1],
];
const typeOfView: ReadonlyMap<unknown, number> = new Map(viewTypes.map(([type, view]) => [view, type]));
const viewOfType: ReadonlyMap<number, readonly [View, number]> = new Map(
  viewTypes.map(([type, view, width]) => [type, [view, width]]),
);

/**
 * A built-in ArrayBuffer view other than Uint8Array, which MessagePack has a type for.
 *
 * @param view The view; its bytes are not copied.
 * @returns Its extension, or undefined for a class that is not built in.
 */
export function viewExtension(view: ArrayBufferView): ExtData | undefined {
  const type = typeOfView.get(Object.getPrototypeOf(view)?.constructor);
  return type === undefined
    ? undefined
    : new ExtData(type, new Uint8Array(view.buffer as ArrayBuffer, view.byteOffset, view.byteLength));
}

/**
 * A date; NaN stands for an invalid one.
 *
 * @param date Any date.
 * @returns Its extension.
 */
export function dateExtension(date: Date): ExtData {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, date.getTime());
  return new ExtData(ExtensionType.date, bytes);
}

/**
 * A bigint as hexadecimal text.
 *
 * @param value Any bigint.
 * @returns Its extension.
 */
export function bigintExtension(value: bigint): ExtData {
  return new ExtData(ExtensionType.bigint, new TextEncoder().encode(value.toString(16)));
}

/**
 * A string that UTF-8 cannot carry exactly, as UTF-16 code units.
 *
 * @param text Any string.
 * @returns Its extension.
 */
export function utf16Extension(text: string): ExtData {
  const bytes = new Uint8Array(text.length * 2);
  const view = new DataView(bytes.buffer);
  for (let index = 0; index < text.length; index++) view.setUint16(index * 2, text.charCodeAt(index), true);
  return new ExtData(ExtensionType.utf16, bytes);
}

/** Tells the codec which objects are extensions, and turns received ones into leaves. */
export const wireExtensions: ExtensionCodecType<undefined> = {
  tryToEncode: (object: unknown): ExtData | null => object instanceof ExtData ? object : null,
  decode: decodeExtension,
};

function decodeExtension(data: Uint8Array, type: number): unknown {
  switch (type) {
    case ExtensionType.constant:
      return decodeConstant(data);
    case ExtensionType.marker: {
      const marker = data.length === 1 ? decodedMarkers.get(data[0]!) : undefined;
      if (marker === undefined) throw refused("a marker is unknown");
      return marker;
    }
    case ExtensionType.date:
      if (data.length !== 8) throw refused("a date must have 8 bytes");
      return new Date(new DataView(data.buffer, data.byteOffset, 8).getFloat64(0));
    case ExtensionType.bigint:
      return decodeBigint(data);
    case ExtensionType.utf16:
      return decodeUtf16(data);
    case ExtensionType.arrayBuffer:
      return data.slice().buffer;
    default:
      return decodeView(data, type);
  }
}

function decodeConstant(data: Uint8Array): unknown {
  if (data.length === 1 && data[0] === UNDEFINED_CODE) return undefined;
  if (data.length === 1 && data[0] === NEGATIVE_ZERO_CODE) return -0;
  throw refused("a constant is unknown");
}

function decodeBigint(data: Uint8Array): bigint {
  const text = new TextDecoder().decode(data);
  if (!/^-?[0-9a-f]+$/.test(text)) throw refused("a bigint must be hexadecimal");
  return text.startsWith("-") ? -BigInt(`0x${text.slice(1)}`) : BigInt(`0x${text}`);
}

function decodeUtf16(data: Uint8Array): string {
  if (data.length % 2 !== 0) throw refused("UTF-16 text must have an even number of bytes");
  const units = new Uint16Array(data.slice().buffer);
  let text = "";
  for (let start = 0; start < units.length; start += 4096) {
    text += String.fromCharCode(...units.subarray(start, start + 4096));
  }
  return text;
}

function decodeView(data: Uint8Array, type: number): unknown {
  const view = viewOfType.get(type);
  if (view === undefined) throw refused(`extension type ${type} is unknown`);
  const [constructor, width] = view;
  if (data.length % width !== 0) throw refused(`an array of ${width}-byte elements has ${data.length} bytes`);
  return new constructor(data.slice().buffer);
}

function refused(what: string): ProtocolError {
  return new ProtocolError(`Cannot decode a frame as PROTOCOL.md lists what may be in it: ${what}`);
}
