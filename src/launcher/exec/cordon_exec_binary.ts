/**
 * The program that every guest starts as: it takes rights away from itself and becomes Deno.
 *
 * @module
 */

import { CORDON_EXEC } from "../embedded/cordon_exec.ts";

/** A program as generated TypeScript carries it. */
export interface EmbeddedExec {
  /** What the compiler that made it says it is. */
  readonly compiler: string;
  /** The program; white space has no meaning. */
  readonly base64: string;
}

/**
 * The static executable of cordon-exec. It belongs into a file that the sandbox's account can execute and not change.
 *
 * @param architecture As in `Deno.build.arch`.
 * @returns The ELF file, or null where there is none for this architecture.
 *
 * @example
 * ```ts
 * import { cordonExecBinary } from "./cordon_exec_binary.ts";
 *
 * console.log(cordonExecBinary("x86_64")?.subarray(1, 4)); // "ELF"
 * ```
 */
export function cordonExecBinary(architecture: string): Uint8Array<ArrayBuffer> | null {
  if (!Object.hasOwn(CORDON_EXEC, architecture)) return null;
  return Uint8Array.fromBase64(CORDON_EXEC[architecture as keyof typeof CORDON_EXEC].base64);
}
