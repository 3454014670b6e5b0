/**
 * Makes tensors on a device cross a session.
 *
 * @module
 */

import { dtypeFacts } from "../dtype.ts";
import type { TensorPort } from "../port.ts";
import type { ValueCodec, ValueContext } from "../types.ts";
import { type CudaHeader, type CudaPlace, readHeader, writeHeader } from "./cuda_place.ts";
import { CudaTensor, type CudaTensorMaker } from "./cuda_tensor.ts";
import type { DeviceMemory } from "./device_memory.ts";

/** More than this, copied because a tensor had been received, is worth a warning. */
const WARN_BYTES = 100_000_000;

/** One end of a connection, as far as memory of devices is concerned. */
export interface CudaEnd {
  /** Makes tensors of what comes in. */
  readonly maker: CudaTensorMaker;
  /** Hands host memory over. */
  readonly port: TensorPort;
  /**
   * Show the receiver these very bytes.
   *
   * @returns Where they are, or null when they must travel through host memory.
   */
  lend(tensor: CudaTensor, context: ValueContext): CudaPlace | null;
  /** Take what the peer has sent in another way than through host memory. */
  receive(header: CudaHeader, context: ValueContext): DeviceMemory;
  /** Tell people. */
  warn(text: string): void;
}

/**
 * How tensors on a device cross.
 *
 * @param end Hands memory over.
 * @returns The codec.
 */
export function cudaCodec(end: CudaEnd): ValueCodec<CudaTensor> {
  return {
    test: (value) => value instanceof CudaTensor,
    encode: (tensor, context) => encode(end, tensor, context),
    decode: (payload, context) => decode(end, payload, context),
  };
}

/**
 * The tensor itself if it may be shown, or a copy of it. What came from a peer is the peer's to change, so a third one
 * gets a copy; and lending a part would show the rest as well.
 *
 * @param end Says what happens.
 * @param tensor What is sent.
 * @param isShareable Whether its memory can be shared as it is.
 * @returns Memory; the caller releases it.
 */
export function memoryToShare(end: CudaEnd, tensor: CudaTensor, isShareable: boolean): DeviceMemory {
  if (isShareable && tensor.isWhole && !tensor.status.isReceived) return tensor.memory.retain();
  if (tensor.status.isReceived && tensor.byteLength > WARN_BYTES) {
    const size = Math.round(tensor.byteLength / 1e6);
    end.warn(
      `A tensor of ${size} MB on ${tensor.device} is copied, as it was received before it was sent on`,
    );
  }
  const copy = tensor.clone();
  try {
    return copy.memory.retain();
  } finally {
    copy.dispose();
  }
}

function encode(end: CudaEnd, tensor: CudaTensor, context: ValueContext): readonly unknown[] {
  const { dtype, shape, memory } = tensor;
  // The receiver is to see finished results, also those of streams that the default stream does not wait for.
  memory.settle();
  const place = (tensor.size > 0 ? end.lend(tensor, context) : null) ?? copied(end, tensor, context);
  return writeHeader({ facts: dtypeFacts(dtype), shape, device: memory.device, place });
}

function copied(end: CudaEnd, tensor: CudaTensor, context: ValueContext): CudaPlace {
  const bytes = new Uint8Array(tensor.byteLength);
  if (bytes.byteLength > 0) tensor.memory.readNow(tensor.byteOffset, bytes);
  return { kind: "copy", place: end.port.snapshot(bytes, context) };
}

function decode(end: CudaEnd, payload: unknown, context: ValueContext): CudaTensor {
  const header = readHeader(payload);
  const { facts: { dtype }, shape, place } = header;
  const { maker } = end;
  const memory = place.kind === "copy" ? unpacked(end, header, place, context) : end.receive(header, context);
  context.rollback(() => memory.release());
  return new CudaTensor({ maker, memory, dtype, shape, isReceived: place.kind !== "copy" });
}

function unpacked(
  end: CudaEnd,
  { bytes, device }: CudaHeader,
  { place }: CudaPlace & { kind: "copy" },
  context: ValueContext,
): DeviceMemory {
  const storage = end.port.receive(place, bytes, true, context);
  const memory = end.maker.allocate(Math.max(bytes, 1), device);
  try {
    if (bytes > 0) memory.writeNow(0, storage.bytesView());
    return memory;
  } catch (error) {
    memory.release();
    throw error;
  } finally {
    storage.release();
  }
}
