/**
 * Loads the part of the native library that reaches a graphics driver.
 *
 * @module
 */

import { CudaError, NativeError } from "../errors.ts";
import { CudaDriver } from "./cuda_driver.ts";
import { CUDA_SYMBOLS } from "./cuda_symbols.ts";
import type { CudaLibrary } from "./cuda_types.ts";
import { errnoName } from "./native_failure.ts";

/**
 * Load the symbols; no driver is touched before `start()`. Needs the `ffi` permission, `start()` does not.
 *
 * @param path Absolute path of the native library.
 * @returns The library; the caller disposes it after every driver.
 * @throws {NativeError} If it cannot be loaded.
 *
 * @example
 * ```ts
 * import { nativeLibraryPath } from "./native_library_path.ts";
 * import { openCuda } from "./open_cuda.ts";
 *
 * const path = await nativeLibraryPath(`${Deno.env.get("HOME")}/.cache/cordon`);
 * using library = path === null ? null : openCuda(path);
 * ```
 */
export function openCuda(path: string): CudaLibrary {
  const library = load(path);
  const { symbols } = library;
  let isOpen = true;
  return {
    start(driver) {
      const handle = new BigUint64Array(1);
      const result = symbols.cordon_cuda_open(new TextEncoder().encode(`${driver}\0`), handle);
      if (result !== 0) throw startFailure(driver, result);
      return new CudaDriver(symbols, handle[0] ?? 0n);
    },
    [Symbol.dispose]() {
      if (isOpen) library.close();
      isOpen = false;
    },
  };
}

/** What a driver can say before it is started: these numbers never change. */
const START_RESULTS: Readonly<Record<number, string>> = {
  3: "CUDA_ERROR_NOT_INITIALIZED",
  100: "CUDA_ERROR_NO_DEVICE",
  101: "CUDA_ERROR_INVALID_DEVICE",
  34: "CUDA_ERROR_STUB_LIBRARY",
  46: "CUDA_ERROR_DEVICE_UNAVAILABLE",
  304: "CUDA_ERROR_OPERATING_SYSTEM",
  802: "CUDA_ERROR_SYSTEM_NOT_READY",
  803: "CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
  804: "CUDA_ERROR_COMPAT_NOT_SUPPORTED_ON_DEVICE",
  999: "CUDA_ERROR_UNKNOWN",
};

function startFailure(driver: string, code: number): CudaError {
  const result = code > 0 ? START_RESULTS[code] ?? `CUDA_ERROR ${code}` : errnoName(code);
  const hint = result === "ENOENT"
    ? "Install NVIDIA's driver; inside a sandbox the plugin needs `gpu: true`"
    : result === "ENOSYS"
    ? "Install a driver for CUDA 11 or later"
    : undefined;
  return new CudaError(`Cannot start the graphics driver "${driver}": ${result}`, {
    call: "cuInit",
    result,
    hint,
  });
}

function load(path: string): Deno.DynamicLibrary<typeof CUDA_SYMBOLS> {
  try {
    return Deno.dlopen(path, CUDA_SYMBOLS);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new NativeError(`Cannot load "${path}" as a native library: ${reason}`, {
      call: "dlopen",
      errno: cause instanceof Deno.errors.NotCapable ? "EACCES" : "ELIBACC",
      hint: cause instanceof Deno.errors.NotCapable ? "Grant the ffi permission: --allow-ffi" : undefined,
      cause,
    });
  }
}
