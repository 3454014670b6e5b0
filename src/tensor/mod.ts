/**
 * Arrays of several dimensions that move between a host and its plugins without a copy.
 *
 * ```ts
 * import { createHostTensors, Tensor } from "./mod.ts";
 *
 * using tensors = createHostTensors({ native: null });
 * using image = tensors.tensor([4, 4, 3], "uint8");
 * using row = image.slice(0);
 * console.assert(row instanceof Tensor && row.size === 12);
 * ```
 *
 * @module
 */

export { fromArrow, toArrow } from "./adapters/arrow.ts";
export type { ArrowData } from "./adapters/arrow.ts";
export { fromOrt, toOrt } from "./adapters/onnxruntime.ts";
export type { OrtTensor, OrtTensorClass } from "./adapters/onnxruntime.ts";
export { readSafetensors, writeSafetensors } from "./adapters/safetensors.ts";
export type { SafetensorsFile } from "./adapters/safetensors.ts";
export { openGuestTensors } from "./guest_tensors.ts";
export type { GuestTensors, GuestTensorsOptions } from "./guest_tensors.ts";
export { copied, move } from "./handover.ts";
export { createHostTensors } from "./host_tensors.ts";
export type { ConnectOptions, HostTensorLink, HostTensors, HostTensorsOptions } from "./host_tensors.ts";
export type { Hold, Storage, StorageParts } from "./storage.ts";
export { Tensor } from "./tensor.ts";
export type { FromOptions, Slice, TensorParts } from "./tensor.ts";
export type { ArrayMaker } from "./dtype.ts";
export { DEFAULT_TENSOR_LIMITS } from "./types.ts";
export type {
  Clock,
  Device,
  Dtype,
  DtypeArray,
  TensorArray,
  TensorLimits,
  TensorOptions,
  TensorStats,
  ValueCodec,
  ValueContext,
  ValueTypes,
} from "./types.ts";
