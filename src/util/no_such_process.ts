/**
 * Tells that a process is gone from the errors of reading and writing about it.
 *
 * @module
 */

/**
 * Whether an error says that there is no such process: ESRCH. The runtime has no class for it, and often no code.
 *
 * @param error What was thrown.
 * @returns Whether the process has ended.
 *
 * @example
 * ```ts
 * import { isNoSuchProcess } from "./no_such_process.ts";
 *
 * isNoSuchProcess(new Error("No such process (os error 3): readfile '/proc/7/comm'")); // true
 * ```
 */
export function isNoSuchProcess(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ("code" in error && error.code === "ESRCH") || /\(os error 3\)/.test(error.message);
}
