/**
 * Tensors on GPUs, and how they move between a host and its plugins.
 *
 * @module
 */

export type * from "./public_types.ts";
export { openHostCuda } from "./host_cuda.ts";
export type { HostCuda } from "./host_cuda.ts";
