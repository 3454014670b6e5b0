/**
 * What hosts and plugins name of GPUs: the same on both sides.
 *
 * @module
 */

export type { Cuda, CudaSize, ImportHandleOptions, LaunchOptions } from "./cuda.ts";
export type { CudaArgument, CudaKernel, CudaModule } from "./cuda_module.ts";
export type { CudaEvent, CudaStream } from "./cuda_stream.ts";
export type {
  CudaTensor,
  CudaTensorMaker,
  CudaTensorParts,
  CudaTensorStatus,
  OnStream,
} from "./cuda_tensor.ts";
export type { DeviceContext, DeviceMemory, DeviceMemoryKind } from "./device_memory.ts";
export type { CudaCalls, CudaDeviceFacts, CudaSharedMemory } from "../../native/cuda_types.ts";
