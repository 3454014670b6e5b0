/**
 * The symbols of the native library that reach a graphics driver. A table of its own: most processes never need it.
 *
 * @module
 */

const RESULT = "i32";

/** Table for `Deno.dlopen()`. The meanings are in ffi/cordon.h. */
export const CUDA_SYMBOLS = {
  cordon_cuda_open: { parameters: ["buffer", "buffer"], result: RESULT },
  cordon_cuda_close: { parameters: ["u64"], result: RESULT },
  cordon_cuda_error_name: { parameters: ["u64", "i32", "buffer", "u32"], result: RESULT },
  cordon_cuda_counts: { parameters: ["u64", "buffer"], result: RESULT },
  cordon_cuda_device: { parameters: ["u64", "i32", "buffer", "buffer", "u32", "buffer"], result: RESULT },
  cordon_cuda_context: { parameters: ["u64", "i32", "buffer"], result: RESULT },
  cordon_cuda_context_release: { parameters: ["u64", "i32"], result: RESULT },
  cordon_cuda_peer: { parameters: ["u64", "u64", "i32", "u64", "i32"], result: RESULT },
  cordon_cuda_synchronize: { parameters: ["u64", "u64"], result: RESULT },
  cordon_cuda_synchronize_elsewhere: {
    name: "cordon_cuda_synchronize",
    parameters: ["u64", "u64"],
    result: RESULT,
    nonblocking: true,
  },
  cordon_cuda_memory: { parameters: ["u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_alloc: { parameters: ["u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_free: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_write: { parameters: ["u64", "u64", "u64", "buffer", "u64", "u64"], result: RESULT },
  cordon_cuda_write_elsewhere: {
    name: "cordon_cuda_write",
    parameters: ["u64", "u64", "u64", "buffer", "u64", "u64"],
    result: RESULT,
    nonblocking: true,
  },
  cordon_cuda_read: { parameters: ["u64", "u64", "buffer", "u64", "u64", "u64"], result: RESULT },
  cordon_cuda_read_elsewhere: {
    name: "cordon_cuda_read",
    parameters: ["u64", "u64", "buffer", "u64", "u64", "u64"],
    result: RESULT,
    nonblocking: true,
  },
  cordon_cuda_copy: { parameters: ["u64", "u64", "u64", "u64", "u64", "u64", "u64"], result: RESULT },
  cordon_cuda_fill: { parameters: ["u64", "u64", "u64", "u32", "u64", "u64"], result: RESULT },
  cordon_cuda_pointer: { parameters: ["u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_share_create: { parameters: ["u64", "u64", "i32", "u64", "buffer"], result: RESULT },
  cordon_cuda_share_export: { parameters: ["u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_share_import: { parameters: ["u64", "u64", "i32", "i32", "u64", "buffer"], result: RESULT },
  cordon_cuda_share_open: { parameters: ["u64", "u64", "i32", "buffer"], result: RESULT },
  cordon_cuda_share_free: { parameters: ["u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_ipc_export: { parameters: ["u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_ipc_import: { parameters: ["u64", "u64", "buffer", "buffer"], result: RESULT },
  cordon_cuda_ipc_free: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_ipc_export_event: { parameters: ["u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_ipc_import_event: { parameters: ["u64", "u64", "buffer", "buffer"], result: RESULT },
  cordon_cuda_stream: { parameters: ["u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_stream_free: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_stream_synchronize: { parameters: ["u64", "u64", "u64"], result: RESULT, nonblocking: true },
  cordon_cuda_stream_wait: { parameters: ["u64", "u64", "u64", "u64"], result: RESULT },
  cordon_cuda_event: { parameters: ["u64", "u64", "u32", "buffer"], result: RESULT },
  cordon_cuda_event_free: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_event_record: { parameters: ["u64", "u64", "u64", "u64"], result: RESULT },
  cordon_cuda_event_synchronize: { parameters: ["u64", "u64", "u64"], result: RESULT, nonblocking: true },
  cordon_cuda_event_query: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_event_elapsed: { parameters: ["u64", "u64", "u64", "u64", "buffer"], result: RESULT },
  cordon_cuda_module: { parameters: ["u64", "u64", "buffer", "u64", "buffer"], result: RESULT },
  cordon_cuda_module_free: { parameters: ["u64", "u64", "u64"], result: RESULT },
  cordon_cuda_kernel: { parameters: ["u64", "u64", "u64", "buffer", "buffer"], result: RESULT },
  cordon_cuda_launch: {
    parameters: ["u64", "u64", "u64", "buffer", "u64", "buffer", "u32", "buffer", "u32"],
    result: RESULT,
  },
} as const;

/** The loaded symbols. */
export type CudaSymbols = Deno.DynamicLibrary<typeof CUDA_SYMBOLS>["symbols"];
