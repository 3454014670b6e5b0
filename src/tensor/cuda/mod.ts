/**
 * Tensors on GPUs, and how they move between a host and its plugins.
 *
 * @module
 */

export { Cuda } from "./cuda.ts";
export type { CudaParts, CudaSize, ImportHandleOptions, LaunchOptions } from "./cuda.ts";
export { CudaModule } from "./cuda_module.ts";
export type { CudaArgument, CudaKernel } from "./cuda_module.ts";
export { CudaEvent, CudaStream } from "./cuda_stream.ts";
export { CudaTensor } from "./cuda_tensor.ts";
export type { CudaTensorMaker, CudaTensorParts, CudaTensorStatus, OnStream } from "./cuda_tensor.ts";
export type { DeviceContext, DeviceMemory, DeviceMemoryKind } from "./device_memory.ts";
export type { CudaSharing } from "./host_end.ts";
export { openHostCuda } from "./host_cuda.ts";
export type { CudaPeer, HostCuda, HostCudaOptions } from "./host_cuda.ts";
export type { CudaCalls, CudaDeviceFacts, CudaSharedMemory } from "../../native/cuda_types.ts";
