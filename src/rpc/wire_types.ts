/**
 * What MessagePack itself has no type for: extension types for leaves, markers for containers.
 *
 * @module
 */

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
  signal: 0x41,
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

/** Content of `ExtensionType.constant`. */
export const ConstantCode = {
  undefined: 0,
  negativeZero: 1,
} as const;

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
 * The extension type of a built-in ArrayBuffer view other than Uint8Array, which MessagePack has a type for.
 *
 * @param view Any view.
 * @returns Its type, or undefined for a class that is not built in.
 */
export function viewTypeOf(view: ArrayBufferView): number | undefined {
  return typeOfView.get(Object.getPrototypeOf(view)?.constructor);
}

/**
 * A decoded marker.
 *
 * @param code Content of the extension; −1 if it is not one byte.
 * @returns The marker.
 * @throws {ProtocolError} If it is unknown.
 */
export function markerOf(code: number): Marker {
  const marker = decodedMarkers.get(code);
  if (marker === undefined) throw refused("a marker is unknown");
  return marker;
}

/**
 * A decoded constant.
 *
 * @param code Content of the extension; −1 if it is not one byte.
 * @returns `undefined` or −0.
 * @throws {ProtocolError} If it is unknown.
 */
export function constantOf(code: number): undefined | number {
  if (code === ConstantCode.undefined) return undefined;
  if (code === ConstantCode.negativeZero) return -0;
  throw refused("a constant is unknown");
}

/**
 * A received leaf that is neither a constant nor a marker.
 *
 * @param data Content of the extension.
 * @param type Its type.
 * @param isOwned The memory of `data` becomes the value's own; otherwise it is copied.
 * @returns The value.
 * @throws {ProtocolError} If it is not what PROTOCOL.md allows.
 */
export function decodeExtension(data: Uint8Array, type: number, isOwned = false): unknown {
  switch (type) {
    case ExtensionType.date:
      if (data.length !== 8) throw refused("a date must have 8 bytes");
      return new Date(new DataView(data.buffer, data.byteOffset, 8).getFloat64(0));
    case ExtensionType.bigint:
      return decodeBigint(data);
    case ExtensionType.utf16:
      return decodeUtf16(data);
    case ExtensionType.arrayBuffer:
      return isOwned ? data.buffer : data.slice().buffer;
    default:
      return decodeView(data, type, isOwned);
  }
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

function decodeView(data: Uint8Array, type: number, isOwned: boolean): unknown {
  const view = viewOfType.get(type);
  if (view === undefined) throw refused(`extension type ${type} is unknown`);
  const [constructor, width] = view;
  if (data.length % width !== 0) throw refused(`an array of ${width}-byte elements has ${data.length} bytes`);
  return new constructor(isOwned ? data.buffer as ArrayBuffer : data.slice().buffer);
}

function refused(what: string): ProtocolError {
  return new ProtocolError(`Cannot decode a frame as PROTOCOL.md lists what may be in it: ${what}`);
}
