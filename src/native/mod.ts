/**
 * The native library: sealed shared memory, descriptors between processes, system call filters.
 *
 * ```ts
 * import { nativeLibraryPath, openNative } from "./mod.ts";
 *
 * const path = await nativeLibraryPath(`${Deno.env.get("HOME")}/.cache/cordon`);
 * using native = path === null ? null : openNative(path);
 * ```
 *
 * @module
 */

export { embeddedLibrary } from "./embedded_library.ts";
export { nativeLibraryPath } from "./native_library_path.ts";
export { openNative } from "./open_native.ts";
export { openCuda } from "./open_cuda.ts";
export { widenConnection } from "./widen_connection.ts";
export type * from "./cuda_types.ts";
export type * from "./types.ts";
