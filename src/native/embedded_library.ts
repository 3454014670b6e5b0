/**
 * Finds the native library for this machine among those that are part of the package.
 *
 * @module
 */

import type { EmbeddedLibrary } from "./types.ts";

/**
 * The library for a system and processor.
 *
 * @param os As in `Deno.build.os`.
 * @param arch As in `Deno.build.arch`.
 * @returns The library, or null when there is none.
 */
export async function embeddedLibrary(
  os: string = Deno.build.os,
  arch: string = Deno.build.arch,
): Promise<EmbeddedLibrary | null> {
  if (os !== "linux") return null;
  if (arch === "x86_64") return (await import("./embedded/library_x86_64.ts")).LIBRARY;
  if (arch === "aarch64") return (await import("./embedded/library_aarch64.ts")).LIBRARY;
  return null;
}
