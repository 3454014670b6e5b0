/**
 * Opens the C library for probes that are a single system call.
 *
 * @module
 */

const SYMBOLS = {
  syscall: { parameters: ["i64", "pointer", "usize", "u32"], result: "i64" },
  memfd_create: { parameters: ["buffer", "u32"], result: "i32" },
  getxattr: { parameters: ["buffer", "buffer", "buffer", "u64"], result: "i64" },
  close: { parameters: ["i32"], result: "i32" },
} as const;

/** The C library. Closing it is the opener's business. */
export type Libc = Deno.DynamicLibrary<typeof SYMBOLS>;

const NAMES: readonly string[] = ["libc.so.6", "libc.so"];

/**
 * Open the C library.
 *
 * @returns It, or null where FFI is not permitted or no C library can be opened.
 */
export function openLibc(): Libc | null {
  if (Deno.build.os !== "linux" || Deno.permissions.querySync({ name: "ffi" }).state !== "granted") {
    return null;
  }
  for (const name of NAMES) {
    const libc = tryOpen(name);
    if (libc !== null) return libc;
  }
  return null;
}

function tryOpen(name: string): Libc | null {
  try {
    return Deno.dlopen(name, SYMBOLS);
  } catch (error) {
    // Deno reports a missing library as a plain Error without a class of its own.
    if (error instanceof Error && error.message.startsWith("Could not open library")) return null;
    throw error;
  }
}
