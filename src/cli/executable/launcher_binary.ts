/**
 * The first bytes of a compiled executable: they unpack what follows and become the runtime.
 *
 * @module
 */

import { LAUNCHER } from "../embedded/launcher.ts";

/** A launcher as generated TypeScript carries it. */
export interface EmbeddedLauncher {
  /** What the compiler that made it says it is. */
  readonly compiler: string;
  /** The program; white space has no meaning. */
  readonly base64: string;
}

/**
 * The static executable to which the parts of an executable are appended.
 *
 * @param architecture As in `Deno.build.arch`.
 * @returns The ELF file, or null where there is none for this architecture.
 *
 * @example
 * ```ts
 * import { launcherBinary } from "./launcher_binary.ts";
 *
 * console.log(launcherBinary("x86_64")?.subarray(1, 4)); // "ELF"
 * ```
 */
export function launcherBinary(architecture: string): Uint8Array<ArrayBuffer> | null {
  if (!Object.hasOwn(LAUNCHER, architecture)) return null;
  return Uint8Array.fromBase64(LAUNCHER[architecture as keyof typeof LAUNCHER].base64);
}
