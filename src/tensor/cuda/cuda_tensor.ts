/**
 * Arrays of several dimensions on a GPU.
 *
 * @module
 */

import { DisposedError } from "../../errors.ts";
import { bytesOf } from "../copy_elements.ts";
import { type DtypeFacts, dtypeFacts } from "../dtype.ts";
import { elementCount, shapeText } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Dtype, TensorArray } from "../types.ts";
import { type DeviceMemory, type DeviceMemoryKind, withoutFault } from "./device_memory.ts";

/** How a tensor's memory came to be in this process. */
export interface CudaTensorStatus {
  /**
   * `"own"`: allocated here; `"descriptor"`: shared by a descriptor; `"handle"`: shared by a handle within a pid namespace;
   * `"host-memory"`: there is no device here.
   */
  readonly memory: DeviceMemoryKind;
  /** It came from the other side: sending it on makes a copy. */
  readonly isReceived: boolean;
}

/** What a tensor needs of those who made it. */
export interface CudaTensorMaker {
  /** A tensor in host memory. */
  hostTensor(shape: readonly number[], dtype: Dtype): Tensor;
  /** New memory on a device. */
  allocate(bytes: number, device: number): DeviceMemory;
}

/** What a tensor on a device is made of; for the modules that make them. */
export interface CudaTensorParts {
  /** Makes others. */
  readonly maker: CudaTensorMaker;
  /** The bytes. The tensor takes over one reference. */
  readonly memory: DeviceMemory;
  /** Element type. */
  readonly dtype: Dtype;
  /** Sizes of the dimensions, in elements. */
  readonly shape: readonly number[];
  /** Where the first element is, in bytes. @default 0 */
  readonly byteOffset?: number;
  /** It came from the other side. @default false */
  readonly isReceived?: boolean;
}

/** Order of work on a device. */
export interface OnStream {
  /** The stream's number; 0 is the default stream. */
  readonly number: bigint;
}

/** Lets go of memory whose tensor was collected without having been disposed. */
const collected = new FinalizationRegistry<DeviceMemory>((memory) => withoutFault(() => memory.release()));

/**
 * An array of several dimensions on a GPU. Slices show the same bytes. Whoever made or received it disposes it. Passing
 * it to a plugin that was granted `gpu`, or back, lends it.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * await using host = await createHost();
 * using values = (await host.cuda()).tensor([4], "float32");
 * await values.copyFrom(new Float32Array(4).fill(2));
 * using tail = values.slice(2); // the same bytes
 * using result = await tail.copyToHost();
 * console.log(result.size); // 2
 * ```
 */
export class CudaTensor implements Disposable {
  /** Element type. */
  readonly dtype: Dtype;
  /** Sizes of the dimensions, in elements; the elements lie one after the other. */
  readonly shape: readonly number[];
  /** Number of elements. */
  readonly size: number;
  /** Size in bytes. */
  readonly byteLength: number;
  /** Where the first element is, in bytes from the start of the memory that slices share. */
  readonly byteOffset: number;
  /** Such as `"cuda:0"`. */
  readonly device: `cuda:${number}`;
  readonly #facts: DtypeFacts;
  readonly #maker: CudaTensorMaker;
  readonly #memory: DeviceMemory;
  readonly #isReceived: boolean;
  #isDisposed = false;

  /**
   * Made by `cuda.tensor()`.
   *
   * @param parts What it is made of.
   */
  constructor(parts: CudaTensorParts) {
    this.#facts = dtypeFacts(parts.dtype);
    this.#maker = parts.maker;
    this.#memory = parts.memory;
    this.#isReceived = parts.isReceived ?? false;
    this.dtype = parts.dtype;
    this.shape = Object.freeze([...parts.shape]);
    this.size = elementCount(this.shape);
    this.byteLength = this.size * this.#facts.bytes;
    this.byteOffset = parts.byteOffset ?? 0;
    this.device = `cuda:${parts.memory.device}`;
    collected.register(this, parts.memory, this);
  }

  /** How its memory came to be in this process. */
  get status(): CudaTensorStatus {
    return Object.freeze({ memory: this.#memory.kind, isReceived: this.#isReceived });
  }

  /** Address of the first element on the device; 0 where there is no device. */
  get address(): bigint {
    const { address } = this.memory;
    return address === 0n ? 0n : address + BigInt(this.byteOffset);
  }

  /**
   * The bytes, for the modules that send them.
   *
   * @throws {DisposedError} If the tensor was disposed.
   */
  get memory(): DeviceMemory {
    if (this.#isDisposed) throw new DisposedError("Cannot use a tensor as it was disposed");
    return this.#memory;
  }

  /** It shows all of its memory. */
  get isWhole(): boolean {
    return this.byteOffset === 0 && this.byteLength === this.#memory.bytes;
  }

  /**
   * Copy to host memory.
   *
   * @param stream After the work of this stream. @default the default stream
   * @returns A tensor; the caller disposes it.
   * @throws {CudaError} If the device refuses.
   */
  async copyToHost(stream?: OnStream): Promise<Tensor> {
    const memory = this.memory.retain();
    const tensor = this.#maker.hostTensor(this.shape, this.dtype);
    try {
      if (this.size > 0) {
        await memory.read(this.byteOffset, bytesOf(tensor.data), stream?.number ?? 0n);
      }
      return tensor;
    } catch (error) {
      tensor.dispose();
      throw error;
    } finally {
      memory.release();
    }
  }

  /**
   * Copy elements into this tensor.
   *
   * @param source A tensor on a device or in host memory, or an array, with as many bytes; an array must not change meanwhile.
   * @param stream In the order of this stream. @default the default stream
   * @throws {RangeError} If the sizes differ.
   * @throws {CudaError} If the device refuses.
   */
  async copyFrom(source: CudaTensor | Tensor | TensorArray, stream?: OnStream): Promise<void> {
    const { memory, byteOffset } = this;
    if (source instanceof CudaTensor) {
      this.#requireSameSize(source.byteLength);
      if (this.size > 0) {
        memory.copyFrom(byteOffset, source.memory, source.byteOffset, this.byteLength, stream?.number ?? 0n);
      }
      return;
    }
    const bytes = bytesOf(ArrayBuffer.isView(source) ? source : source.toTyped());
    this.#requireSameSize(bytes.byteLength);
    if (this.size === 0) return;
    memory.retain();
    try {
      await memory.write(byteOffset, bytes, stream?.number ?? 0n);
    } finally {
      memory.release();
    }
  }

  /**
   * A copy in memory of its own, in the order of the default stream.
   *
   * @returns The copy; the caller disposes it.
   */
  clone(): CudaTensor {
    const memory = this.#maker.allocate(Math.max(this.byteLength, 1), this.memory.device);
    const { dtype, shape } = this;
    const copy = new CudaTensor({ maker: this.#maker, memory, dtype, shape });
    if (this.size > 0) memory.copyFrom(0, this.memory, this.byteOffset, this.byteLength, 0n);
    return copy;
  }

  /**
   * A part along the first dimension; it shows the same bytes.
   *
   * @param start First index.
   * @param end Index after the last. @default the size of the dimension
   * @returns The part; the caller disposes it.
   * @throws {RangeError} If it is outside.
   */
  slice(start: number, end: number = this.shape[0] ?? 0): CudaTensor {
    const [rows = 0, ...rest] = this.shape;
    if (
      !(Number.isSafeInteger(start) && Number.isSafeInteger(end) && start >= 0 && start <= end && end <= rows)
    ) {
      throw new RangeError(`Cannot slice ${start} to ${end} of shape ${shapeText(this.shape)}`);
    }
    const rowBytes = elementCount(rest) * this.#facts.bytes;
    return this.#view([end - start, ...rest], this.byteOffset + start * rowBytes);
  }

  /**
   * The same elements under another shape.
   *
   * @param shape As many elements.
   * @returns A tensor that shows the same bytes; the caller disposes it.
   * @throws {RangeError} If the number of elements differs.
   */
  reshape(shape: readonly number[]): CudaTensor {
    if (elementCount(shape) === this.size) return this.#view(shape, this.byteOffset);
    throw new RangeError(
      `Cannot reshape ${shapeText(this.shape)} to ${shapeText(shape)} as the sizes differ`,
    );
  }

  /** Let go of the memory. Idempotent. */
  dispose(): void {
    if (this.#isDisposed) return;
    this.#isDisposed = true;
    collected.unregister(this);
    this.#memory.release();
  }

  /** As `dispose()`. */
  [Symbol.dispose](): void {
    this.dispose();
  }

  #view(shape: readonly number[], byteOffset: number): CudaTensor {
    const memory = this.memory.retain();
    const { dtype } = this;
    const isReceived = this.#isReceived;
    return new CudaTensor({ maker: this.#maker, memory, dtype, shape, byteOffset, isReceived });
  }

  #requireSameSize(bytes: number): void {
    if (bytes === this.byteLength) return;
    throw new RangeError(
      `Cannot copy ${bytes} bytes into a tensor of ${this.byteLength} as they must be as many`,
    );
  }
}
