/**
 * Programs for a device, their kernels, and the kernels' arguments.
 *
 * @module
 */

import { CudaTensor } from "./cuda_tensor.ts";
import type { DeviceContext } from "./device_memory.ts";

/** A kernel of a loaded program. It lives as long as the program. */
export interface CudaKernel {
  /** Its name. */
  readonly name: string;
  /** The driver's number. */
  readonly number: bigint;
  /** Where it runs. */
  readonly on: DeviceContext;
}

/** An argument of a kernel: a tensor (its address), or a number with the type that the kernel declares. */
export type CudaArgument =
  | CudaTensor
  | { readonly i32: number }
  | { readonly u32: number }
  | { readonly i64: bigint }
  | { readonly u64: bigint }
  | { readonly f32: number }
  | { readonly f64: number };

/** A loaded program. */
export class CudaModule implements Disposable {
  readonly #on: DeviceContext;
  readonly #number: bigint;
  #isOpen = true;

  /**
   * Made by `cuda.module()`.
   *
   * @param on The device.
   * @param image The program.
   */
  constructor(on: DeviceContext, image: string | Uint8Array) {
    this.#on = on;
    this.#number = on.calls.module(on.context, image);
  }

  /**
   * A kernel of the program.
   *
   * @param name Its name in the PTX; C++ kernels need `extern "C"`.
   * @returns The kernel.
   * @throws {CudaError} If there is none of this name.
   */
  kernel(name: string): CudaKernel {
    const number = this.#on.calls.kernel(this.#on.context, this.#number, name);
    return Object.freeze({ name, number, on: this.#on });
  }

  /** Unload the program. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#on.calls.freeModule(this.#on.context, this.#number);
    this.#isOpen = false;
  }
}

const SLOT_BYTES = 8;

/**
 * Arguments as the driver reads them.
 *
 * @param args The arguments.
 * @returns Their bytes, and where each starts.
 * @throws {TypeError} If one has no type.
 */
export function encodedArguments(
  args: readonly CudaArgument[],
): { readonly values: Uint8Array<ArrayBuffer>; readonly offsets: readonly number[] } {
  const values = new Uint8Array(args.length * SLOT_BYTES);
  const view = new DataView(values.buffer);
  args.forEach((arg, index) => write(view, index * SLOT_BYTES, arg));
  return { values, offsets: args.map((_, index) => index * SLOT_BYTES) };
}

function write(view: DataView, at: number, arg: CudaArgument): void {
  if (arg instanceof CudaTensor) view.setBigUint64(at, arg.address, true);
  else if ("i32" in arg) view.setInt32(at, arg.i32, true);
  else if ("u32" in arg) view.setUint32(at, arg.u32, true);
  else if ("i64" in arg) view.setBigInt64(at, arg.i64, true);
  else if ("u64" in arg) view.setBigUint64(at, arg.u64, true);
  else if ("f32" in arg) view.setFloat32(at, arg.f32, true);
  else if ("f64" in arg) view.setFloat64(at, arg.f64, true);
  else {throw new TypeError(
      "Cannot pass an argument to a kernel as it must be a tensor or a number with its type",
    );}
}
