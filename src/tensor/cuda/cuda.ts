/**
 * Tensors, streams and programs on the GPUs of this machine.
 *
 * @module
 */

import { CudaError } from "../../errors.ts";
import type { CudaDeviceFacts } from "../../native/cuda_types.ts";
import { dtypeFacts } from "../dtype.ts";
import { elementCount } from "../shape.ts";
import type { Tensor } from "../tensor.ts";
import type { Dtype } from "../types.ts";
import { type CudaArgument, CudaModule, encodedArguments } from "./cuda_module.ts";
import type { CudaKernel } from "./cuda_module.ts";
import { CudaStream } from "./cuda_stream.ts";
import { CudaTensor, type CudaTensorMaker } from "./cuda_tensor.ts";
import type { DeviceEngine } from "./device_engine.ts";
import { type DeviceMemory, DriverMemory, needsDriver, StandInMemory } from "./device_memory.ts";

/** What is different from one process to another. */
export interface CudaParts {
  /** The started driver, or null: tensors are kept in host memory. */
  readonly engine: DeviceEngine | null;
  /** Memory for a new tensor. @default the engine's, of this process alone */
  readonly allocate: (bytes: number, device: number) => DeviceMemory;
  /** Makes tensors in host memory. */
  readonly hostTensor: (shape: readonly number[], dtype: Dtype) => Tensor;
}

/** Size of a grid or of a block, in up to three dimensions. */
export type CudaSize = number | readonly [x: number, y?: number, z?: number];

/** Options of `Cuda.launch()`. */
export interface LaunchOptions {
  /** Order of the work. @default the default stream */
  readonly stream?: CudaStream;
  /** Bytes of shared memory for each block. @default 0 */
  readonly sharedBytes?: number;
}

/** What lies behind a handle. */
export interface ImportHandleOptions {
  /** Sizes of the dimensions, in elements. */
  readonly shape: readonly number[];
  /** Element type. @default "float32" */
  readonly dtype?: Dtype;
  /** Where the first element is, in bytes from the start of the allocation. @default 0 */
  readonly byteOffset?: number;
  /** Number of the device. @default 0 */
  readonly device?: number;
}

/**
 * The GPUs of this machine. Work on the default stream is done in order, and in order with that of other tensors.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * await using host = await createHost();
 * const cuda = await host.cuda(); // without a GPU host memory stands for it, with the same results
 * using values = cuda.tensor([2, 2], "float32");
 * await values.copyFrom(new Float32Array([1, 2, 3, 4]));
 * using result = await values.copyToHost();
 * console.log(cuda.kind, result.at(1, 1)); // 4
 * ```
 */
export class Cuda implements CudaTensorMaker {
  /** Whether there is a driver, or host memory stands for a device's. */
  readonly kind: "driver" | "host-memory";
  readonly #parts: CudaParts;

  /**
   * Made by `host.cuda()`, and `cuda()` in a plugin.
   *
   * @internal
   * @param parts What is different from one process to another.
   */
  constructor(parts: CudaParts) {
    this.#parts = parts;
    this.kind = parts.engine === null ? "host-memory" : "driver";
  }

  /** Version of the driver, 1000 × major + 10 × minor; 0 without one. */
  get driverVersion(): number {
    return this.#parts.engine?.calls.driverVersion ?? 0;
  }

  /** The devices, in the driver's order; none without a driver. */
  get devices(): readonly CudaDeviceFacts[] {
    return this.#parts.engine?.calls.devices ?? [];
  }

  /**
   * A new tensor of zeros.
   *
   * @param shape Sizes of the dimensions, in elements.
   * @param dtype Element type. @default "float32"
   * @param options `device`: number of the device. @default 0
   * @returns The tensor; the caller disposes it.
   * @throws {CudaError} If the device has no memory for it, or there is no such device.
   */
  tensor(
    shape: readonly number[],
    dtype: Dtype = "float32",
    options: { readonly device?: number } = {},
  ): CudaTensor {
    const bytes = elementCount(shape) * dtypeFacts(dtype).bytes;
    const memory = this.allocate(Math.max(bytes, 1), options.device ?? 0);
    return new CudaTensor({ maker: this, memory, dtype, shape });
  }

  /**
   * Free and total memory of a device, in bytes.
   *
   * @param device Its number. @default 0
   * @throws {CudaError} If there is no driver or no such device.
   */
  memory(device: number = 0): { readonly free: number; readonly total: number } {
    const { calls, context } = this.#engine("ask for a device's memory").on(device);
    return calls.memory(context);
  }

  /**
   * A new stream: work on it is done in order, and beside the work of other streams.
   *
   * @param device Number of the device. @default 0
   * @returns The stream; the caller disposes it.
   * @throws {CudaError} If there is no driver or no such device.
   */
  stream(device: number = 0): CudaStream {
    return new CudaStream(this.#engine("make a stream").on(device));
  }

  /**
   * Load a program.
   *
   * @param image PTX as text, or a binary for this device.
   * @param options `device`: number of the device. @default 0
   * @returns The program; the caller disposes it.
   * @throws {CudaError} If the driver cannot compile it.
   */
  module(image: string | Uint8Array, options: { readonly device?: number } = {}): CudaModule {
    return new CudaModule(this.#engine("load a program").on(options.device ?? 0), image);
  }

  /**
   * Let kernels of a device use tensors of another one. Copies between devices need it not.
   *
   * @param device Number of the device whose kernels these are.
   * @param peer Number of the device whose tensors they use.
   * @throws {CudaError} If there is no driver or no such device, or the two cannot reach each other.
   */
  enablePeer(device: number, peer: number): void {
    this.#engine("let devices reach each other").enablePeer(device, peer);
  }

  /**
   * Start a kernel. It returns at once.
   *
   * @param kernel A kernel of a loaded program.
   * @param grid How many blocks.
   * @param block How many threads in each.
   * @param args Its arguments: tensors, or numbers with their types such as `{ f32: 0.5 }`.
   * @param options Stream and shared memory.
   * @throws {CudaError} If the device refuses, or a tensor or the stream is another device's.
   */
  launch(
    kernel: CudaKernel,
    grid: CudaSize,
    block: CudaSize,
    args: readonly CudaArgument[],
    options: LaunchOptions = {},
  ): void {
    const { calls, context, device } = kernel.on;
    const { stream, sharedBytes = 0 } = options;
    if (stream !== undefined && stream.device !== device) {
      throw elsewhere("its stream", stream.device, device);
    }
    for (const arg of args) {
      if (!(arg instanceof CudaTensor) || !(arg.memory instanceof DriverMemory)) continue;
      if (this.#engine("start a kernel").reaches(device, arg.memory)) continue;
      throw elsewhere("a tensor", arg.memory.device, device);
    }
    const shape = [...threeOf(grid), ...threeOf(block), sharedBytes] as const;
    calls.launch(context, kernel.number, shape, encodedArguments(args), stream?.number ?? 0n);
  }

  /**
   * Wait until all work on a device is done.
   *
   * @param device Its number. @default 0
   * @throws {CudaError} If some of the work failed.
   */
  async synchronize(device: number = 0): Promise<void> {
    const { engine } = this.#parts;
    if (engine === null) return;
    const { calls, context } = engine.on(device);
    await calls.synchronized(context);
  }

  /**
   * Copy a tensor to where a process of this pid namespace that is no plugin, such as one that runs PyTorch, can open it
   * by the driver's handle (cuIpcOpenMemHandle).
   *
   * @param tensor What to copy.
   * @returns The copy, which the caller disposes when the other process has closed it, and its handle of 64 bytes.
   * @throws {CudaError} If there is no driver, or it gives no handle.
   */
  exportHandle(tensor: CudaTensor): { readonly tensor: CudaTensor; readonly handle: Uint8Array } {
    const engine = this.#engine("export a handle");
    const { dtype, shape, byteOffset, byteLength } = tensor;
    const memory = engine.allocateForHandle(Math.max(byteLength, 1), tensor.memory.device);
    const copy = new CudaTensor({ maker: this, memory, dtype, shape });
    try {
      const { calls, context } = memory.on;
      memory.copyFrom(0, tensor.memory, byteOffset, byteLength, 0n);
      calls.synchronize(context);
      return { tensor: copy, handle: calls.exportHandle(context, memory.address) };
    } catch (error) {
      copy.dispose();
      throw error;
    }
  }

  /**
   * Copy from memory that a trusted process of this pid namespace exported by the driver's handle (cuIpcGetMemHandle).
   *
   * @param handle 64 bytes.
   * @param options What lies there: `byteOffset` from the start of the allocation, `device`.
   * @returns A copy; the caller disposes it. The other process may free its memory then.
   * @throws {CudaError} If there is no driver, or the handle means nothing here.
   */
  importHandle(handle: Uint8Array, options: ImportHandleOptions): CudaTensor {
    const engine = this.#engine("import a handle");
    const { shape, dtype = "float32", byteOffset = 0, device = 0 } = options;
    const copy = this.tensor(shape, dtype, { device });
    const bytes = copy.byteLength;
    try {
      const memory = engine.importHandle(handle, byteOffset + bytes, device, () => {});
      try {
        copy.memory.copyFrom(0, memory, byteOffset, bytes, 0n);
        memory.on.calls.synchronize(memory.on.context);
      } finally {
        memory.release();
      }
      return copy;
    } catch (error) {
      copy.dispose();
      throw error;
    }
  }

  /** See `CudaTensorMaker`. */
  allocate(bytes: number, device: number): DeviceMemory {
    if (this.#parts.engine === null) return new StandInMemory(device, new Uint8Array(bytes));
    return this.#parts.allocate(bytes, device);
  }

  /** See `CudaTensorMaker`. */
  hostTensor(shape: readonly number[], dtype: Dtype): Tensor {
    return this.#parts.hostTensor(shape, dtype);
  }

  #engine(what: string): DeviceEngine {
    const { engine } = this.#parts;
    if (engine === null) throw needsDriver(what);
    return engine;
  }
}

function elsewhere(what: string, there: number, here: number): CudaError {
  return new CudaError(`Cannot start a kernel on "cuda:${here}" as ${what} is on "cuda:${there}"`, {
    call: "cuLaunchKernel",
    result: "CUDA_ERROR_INVALID_DEVICE",
    hint: `Call enablePeer(${here}, ${there}), or copy it with copyFrom() to a tensor of device ${here}`,
  });
}

function threeOf(size: CudaSize): readonly [number, number, number] {
  const [x, y = 1, z = 1] = typeof size === "number" ? [size] : size;
  if ([x, y, z].every((value) => Number.isSafeInteger(value) && value > 0 && value < 2 ** 31)) {
    return [x, y, z];
  }
  throw new RangeError(`Cannot start a kernel as sizes must be integers of 1 or more: [${x}, ${y}, ${z}]`);
}
