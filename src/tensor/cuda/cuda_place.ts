/**
 * Where the bytes of a tensor on a device are: what a message says about it.
 *
 * @module
 */

import { ProtocolError } from "../../errors.ts";
import { dtypeByCode, type DtypeFacts } from "../dtype.ts";
import { count, describe, type Place, readPlace, writePlace } from "../place.ts";
import { elementCount, MAX_RANK } from "../shape.ts";

/** In host memory; in memory that was granted with a descriptor; in memory that the sender had asked for; behind a handle. */
export type CudaPlace =
  | { readonly kind: "copy"; readonly place: Place }
  | { readonly kind: "lent"; readonly grant: number; readonly lease: number }
  | { readonly kind: "made"; readonly grant: number; readonly lease: number }
  | { readonly kind: "handle"; readonly handle: Uint8Array; readonly lease: number };

/** What a message says about a tensor. */
export interface CudaHeader {
  readonly facts: DtypeFacts;
  readonly shape: readonly number[];
  readonly bytes: number;
  readonly device: number;
  readonly place: CudaPlace;
}

const KINDS = ["copy", "lent", "made", "handle"] as const;
const HEADER_LENGTH = 5;
const HANDLE_BYTES = 64;

/**
 * A header as it stands in the message.
 *
 * @param header The header.
 * @returns Numbers and bytes only.
 */
export function writeHeader({ facts, shape, device, place }: Omit<CudaHeader, "bytes">): readonly unknown[] {
  const head = [facts.code, shape, device, KINDS.indexOf(place.kind)];
  switch (place.kind) {
    case "copy":
      return [...head, writePlace(place.place)];
    case "lent":
    case "made":
      return [...head, [place.grant, place.lease]];
    case "handle":
      return [...head, [place.handle.slice().buffer, place.lease]];
  }
}

/**
 * A header that a peer sent.
 *
 * @param value What stood in the message.
 * @returns The header, its form checked.
 * @throws {ProtocolError} If the form is wrong.
 */
export function readHeader(value: unknown): CudaHeader {
  if (!Array.isArray(value) || value.length !== HEADER_LENGTH) throw wrong("it must be a list of 5");
  const [code, rawShape, device, kind, where] = value as readonly unknown[];
  const facts = dtypeByCode(code);
  if (facts === undefined) throw wrong(`dtype ${describe(code)} is unknown`);
  if (!Array.isArray(rawShape) || rawShape.length > MAX_RANK) throw wrong("its shape is no list");
  const shape = rawShape.map(count);
  const bytes = sizeOf(shape) * facts.bytes;
  if (!Number.isSafeInteger(bytes)) throw wrong("it is too large");
  return { facts, shape, bytes, device: count(device), place: placeOf(kind, where) };
}

function sizeOf(shape: readonly number[]): number {
  try {
    return elementCount(shape);
  } catch (cause) {
    throw wrong("its shape is too large", cause);
  }
}

function placeOf(code: unknown, where: unknown): CudaPlace {
  const kind = typeof code === "number" ? KINDS[code] : undefined;
  if (kind === undefined || !Array.isArray(where)) throw wrong("it says not where it is");
  if (kind === "copy") return { kind, place: readPlace(where) };
  const [what, lease] = where as readonly unknown[];
  if (where.length !== 2) throw wrong("it says not where it is");
  if (kind !== "handle") return { kind, grant: count(what), lease: count(lease) };
  if (!(what instanceof ArrayBuffer) || what.byteLength !== HANDLE_BYTES) throw wrong("its handle is none");
  return { kind, handle: new Uint8Array(what), lease: count(lease) };
}

function wrong(what: string, cause?: unknown): ProtocolError {
  return new ProtocolError(`Cannot read the header of a tensor on a device as ${what}`, { cause });
}
