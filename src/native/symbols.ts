/**
 * The symbols of the native library, as Deno's FFI wants to hear them. The meanings are in ffi/cordon.h.
 *
 * @module
 */

/** Value that `cordon_abi_version()` must give. */
export const ABI_VERSION = 1;

/** Table for `Deno.dlopen()`. */
export const SYMBOLS = {
  cordon_abi_version: { parameters: [], result: "u32" },
  cordon_page_size: { parameters: [], result: "i64" },
  cordon_memfd: { parameters: ["u64"], result: "i32" },
  cordon_seal: { parameters: ["i32", "u32"], result: "i32" },
  cordon_region_facts: { parameters: ["i32", "buffer"], result: "i32" },
  cordon_window_reserve: { parameters: ["u64", "buffer"], result: "i32" },
  cordon_map: { parameters: ["pointer", "u64", "u64", "i32", "u64", "u64", "u32"], result: "i32" },
  cordon_unmap: { parameters: ["pointer", "u64", "u64", "u64"], result: "i32" },
  cordon_discard: { parameters: ["i32", "u64", "u64"], result: "i32" },
  cordon_fill: { parameters: ["i32", "u64", "buffer", "u64"], result: "i32" },
  cordon_socketpair: { parameters: ["buffer"], result: "i32" },
  cordon_send: { parameters: ["i32", "buffer", "u32", "i32"], result: "i32" },
  cordon_receive: { parameters: ["i32", "buffer", "u32", "buffer"], result: "i32" },
  cordon_wait: { parameters: ["i32", "i32"], result: "i32" },
  cordon_wait_elsewhere: {
    name: "cordon_wait",
    parameters: ["i32", "i32"],
    result: "i32",
    nonblocking: true,
  },
  cordon_watch_open: { parameters: [], result: "i32" },
  cordon_watch: { parameters: ["i32", "i32", "i32"], result: "i32" },
  cordon_close: { parameters: ["i32"], result: "i32" },
  cordon_duplicate: { parameters: ["i32"], result: "i32" },
  cordon_shutdown: { parameters: ["i32"], result: "i32" },
  cordon_close_on_exec: { parameters: ["i32"], result: "i32" },
  cordon_seccomp: { parameters: ["buffer", "u32"], result: "i32" },
  cordon_prlimit: { parameters: ["i32", "u32", "buffer", "u32"], result: "i32" },
  cordon_read_file: { parameters: ["buffer", "buffer", "u64"], result: "i64" },
  cordon_send_room: { parameters: ["buffer", "u32"], result: "i32" },
} as const;

/** What a guest needs: what it has not loaded it can never call. */
export const GUEST_SYMBOLS: readonly (keyof typeof SYMBOLS)[] = [
  "cordon_abi_version",
  "cordon_page_size",
  "cordon_region_facts",
  "cordon_window_reserve",
  "cordon_map",
  "cordon_unmap",
  "cordon_discard",
  "cordon_send",
  "cordon_receive",
  "cordon_wait",
  "cordon_wait_elsewhere",
  "cordon_close",
  "cordon_shutdown",
  "cordon_seccomp",
  "cordon_prlimit",
  "cordon_send_room",
];

/** The loaded library. */
export type Library = Deno.DynamicLibrary<typeof SYMBOLS>;

/** The loaded symbols. */
export type Symbols = Library["symbols"];
