/**
 * Tensors in messages: a header that says what they are, and where their bytes are.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { bytesOf } from "./copy_elements.ts";
import { dtypeByCode, type DtypeFacts, dtypeFacts } from "./dtype.ts";
import { type Handover, TensorHandover } from "./handover.ts";
import { count, describe, type Place, readPlace, writePlace } from "./place.ts";
import type { TensorPort } from "./port.ts";
import { elementCount, elementSpan, hasOverlap, isContiguous, MAX_RANK, shapeText } from "./shape.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import type { ValueCodec, ValueContext } from "./types.ts";

/** What a header says, its form checked. */
interface Header {
  readonly facts: DtypeFacts;
  readonly shape: readonly number[];
  readonly strides: readonly number[] | null;
  readonly bytes: number;
  readonly isOwn: boolean;
  readonly place: Place;
}

const HEADER_LENGTH = 5;

/**
 * How tensors cross.
 *
 * @param port Hands memory over.
 * @returns The codec.
 */
export function tensorCodec(port: TensorPort): ValueCodec<Tensor | TensorHandover> {
  return {
    test: (value) => value instanceof Tensor || value instanceof TensorHandover,
    encode: (value, context) =>
      value instanceof Tensor
        ? encodeTensor(port, value, "lend", context)
        : encodeTensor(port, value.tensor, value.how, context),
    decode: (payload, context) => decodeTensor(port, payload, context),
  };
}

function encodeTensor(
  port: TensorPort,
  tensor: Tensor,
  how: Handover,
  context: ValueContext,
): readonly unknown[] {
  const { code } = dtypeFacts(tensor.dtype);
  const isWhole = showsWholeStorage(tensor);
  const isOwn = how !== "lend";
  if (!isWhole || how === "copy") {
    // Lending a part would show the receiver the rest as well.
    const place = port.snapshot(bytesOf(tensor.isContiguous ? tensor.data : tensor.toTyped()), context);
    if (how === "move") tensor.dispose();
    return [code, tensor.shape, null, isOwn ? 1 : 0, writePlace(place)];
  }
  const strides = isContiguous(tensor.shape, tensor.strides) ? null : tensor.strides;
  const place = how === "move" ? giveAway(port, tensor, context) : port.lend(tensor.storage, context);
  return [code, tensor.shape, strides, isOwn ? 1 : 0, writePlace(place)];
}

function giveAway(port: TensorPort, tensor: Tensor, context: ValueContext): Place {
  const { storage } = tensor;
  // What could not be sent stays the caller's, unless it was too late for that.
  const place = port.give(storage, context);
  tensor.surrender();
  return place;
}

function showsWholeStorage(tensor: Tensor): boolean {
  return tensor.byteLength === tensor.storage.bytes && !hasOverlap(tensor.shape, tensor.strides);
}

function decodeTensor(port: TensorPort, payload: unknown, context: ValueContext): Tensor {
  const { facts, shape, strides, bytes, isOwn, place } = readHeader(payload);
  const storage = bytes === 0 ? emptyStorage(place) : port.receive(place, bytes, isOwn, context);
  return new Tensor({ storage, dtype: facts.dtype, shape, ...(strides === null ? {} : { strides }) });
}

function emptyStorage(place: Place): Storage {
  if (place.kind === "inline" && place.bytes.byteLength === 0) return Storage.local(0);
  throw new ProtocolError("Cannot read a tensor without elements as it must have no bytes");
}

function readHeader(payload: unknown): Header {
  if (!Array.isArray(payload) || payload.length !== HEADER_LENGTH) {
    throw new ProtocolError(`Cannot read the header of a tensor as it must be a list of ${HEADER_LENGTH}`);
  }
  const [code, rawShape, rawStrides, own, rawPlace] = payload as readonly unknown[];
  const facts = dtypeByCode(code);
  if (facts === undefined) {
    throw new ProtocolError(`Cannot read the header of a tensor as dtype ${describe(code)} is unknown`);
  }
  if (own !== 0 && own !== 1) {
    throw new ProtocolError("Cannot read the header of a tensor as its ownership is unknown");
  }
  const shape = counts(rawShape);
  const elements = checked(() => elementCount(shape));
  const bytes = elements * facts.bytes;
  if (!Number.isSafeInteger(bytes)) {
    throw new ProtocolError(`Cannot use shape ${shapeText(shape)} as it is too large`);
  }
  const strides = rawStrides === null ? null : readStrides(rawStrides, shape, elements);
  return { facts, shape, strides, bytes, isOwn: own === 1, place: readPlace(rawPlace) };
}

function readStrides(value: unknown, shape: readonly number[], elements: number): readonly number[] {
  const strides = counts(value);
  if (strides.length !== shape.length) {
    throw new ProtocolError(`Cannot use ${strides.length} strides for ${shape.length} sizes`);
  }
  if (checked(() => elementSpan(shape, strides)) > elements) {
    throw new ProtocolError(
      `Cannot use strides ${shapeText(strides)} as they reach beyond shape ${shapeText(shape)}`,
    );
  }
  if (hasOverlap(shape, strides)) {
    throw new ProtocolError(`Cannot use strides ${shapeText(strides)} as elements overlap`);
  }
  return strides;
}

function counts(value: unknown): readonly number[] {
  if (Array.isArray(value) && value.length <= MAX_RANK) return value.map(count);
  throw new ProtocolError(
    `Cannot read the header of a tensor as it must list at most ${MAX_RANK} dimensions`,
  );
}

function checked<T>(compute: () => T): T {
  try {
    return compute();
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new ProtocolError(cause.message, { cause });
  }
}
