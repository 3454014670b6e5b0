/**
 * GPUs of a host, and how their memory reaches its plugins.
 *
 * @module
 */

import { CudaError } from "../../errors.ts";
import { type CudaLibrary, openCuda } from "../../native/mod.ts";
import type { HostTensorLink } from "../host_tensors.ts";
import { copyPort } from "../port.ts";
import type { Tensor } from "../tensor.ts";
import { DEFAULT_TENSOR_LIMITS, type Dtype, type ValueTypes } from "../types.ts";
import { Cuda } from "./cuda.ts";
import { cudaCodec } from "./cuda_codec.ts";
import { DeviceEngine } from "./device_engine.ts";
import { HostEnd } from "./host_end.ts";
import type { CudaSharing } from "./host_end.ts";

/** Options of `openHostCuda()`. */
export interface HostCudaOptions {
  /** Path of the native library; null: tensors are kept in host memory. */
  readonly libraryPath: string | null;
  /** Path or name of the driver's library. */
  readonly driver: string;
  /** Memory of devices may be shared with plugins. */
  readonly ipc: boolean;
  /** What happens without a driver. */
  readonly fallback: "host-copy" | "error";
  /** Makes tensors in host memory. */
  readonly hostTensor: (shape: readonly number[], dtype: Dtype) => Tensor;
  /** Is told once about each thing that must go through host memory. */
  readonly onNotice: (text: string) => void;
}

/** A plugin that device memory is shared with. */
export interface CudaPeer {
  readonly link: HostTensorLink;
  /** Value types of its session. */
  readonly types: ValueTypes;
  readonly plugin: string;
  readonly isGranted: boolean;
  /** Host and plugin share a pid namespace. */
  readonly sharesPids: boolean;
}

/** GPUs of one host. Dispose after every link. */
export interface HostCuda extends Disposable {
  /** What users get. */
  readonly cuda: Cuda;
  /** Let tensors on devices cross a session; the result says how they do at present. */
  connect(peer: CudaPeer): () => CudaSharing;
}

/**
 * Open the GPUs of this machine.
 *
 * @param options Where the driver is, and whether memory may be shared.
 * @returns The GPUs; the caller disposes them.
 * @throws {CudaError} If there is no driver and `fallback` is `"error"`.
 */
export function openHostCuda(options: HostCudaOptions): HostCuda {
  const told = new Set<string>();
  const warn = (text: string): void => {
    if (!told.has(text)) options.onNotice(text);
    told.add(text);
  };
  const { library, engine } = started(options, warn);
  const cuda = new Cuda({
    engine,
    allocate: (bytes, device) => {
      if (engine === null) throw new TypeError("Cannot allocate without a driver");
      return engine.allocate(bytes, device, options.ipc);
    },
    hostTensor: options.hostTensor,
  });
  return {
    cuda,
    connect({ link, types, plugin, isGranted, sharesPids }) {
      const limitBytes = DEFAULT_TENSOR_LIMITS.pluginBytes;
      const parts = {
        maker: cuda,
        engine,
        plugin,
        isGranted,
        isShared: options.ipc,
        fallback: options.fallback,
        sharesPids,
        limitBytes,
        warn,
      };
      let end: HostEnd | null = null;
      const isLinked = link.extend((access) => end = new HostEnd({ ...parts, access }));
      const used = isLinked && end !== null ? end as HostEnd : copyingEnd(parts);
      types.register("cuda", cudaCodec(used));
      return () => used.sharing;
    },
    [Symbol.dispose]() {
      engine?.[Symbol.dispose]();
      library?.[Symbol.dispose]();
    },
  };
}

function started(
  { libraryPath, driver, fallback }: HostCudaOptions,
  warn: (text: string) => void,
): { readonly library: CudaLibrary | null; readonly engine: DeviceEngine | null } {
  if (libraryPath === null) {
    if (fallback === "error") throw noLibrary();
    warn("Tensors of devices are kept in host memory, as the native library is not available");
    return { library: null, engine: null };
  }
  const library = openCuda(libraryPath);
  try {
    return { library, engine: new DeviceEngine(library.start(driver)) };
  } catch (error) {
    library[Symbol.dispose]();
    if (!(error instanceof CudaError) || fallback === "error") throw error;
    warn(`Tensors of devices are kept in host memory: ${error.message}`);
    return { library: null, engine: null };
  }
}

/** Without a channel there are no leases, and nothing is lent. */
function copyingEnd(parts: Omit<ConstructorParameters<typeof HostEnd>[0], "access">): HostEnd {
  const refuse = (): never => {
    throw new TypeError("Cannot share memory without a channel");
  };
  const access = {
    port: copyPort(Infinity),
    get leases(): never {
      return refuse();
    },
    send() {},
    drain() {},
    awaited: () => null,
    take: refuse,
    close() {},
  };
  return new HostEnd({ ...parts, isShared: false, access });
}

function noLibrary(): CudaError {
  return new CudaError("Cannot use a GPU as the native library is not available", {
    call: "dlopen",
    result: "EACCES",
    hint: "Grant the ffi permission: --allow-ffi",
  });
}
