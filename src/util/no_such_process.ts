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

/**
 * Look at a process that may end meanwhile: its files vanish, or can be opened and not be read any more.
 *
 * @param look Reads what belongs to it.
 * @returns What `look` gave; null if the process is gone.
 * @throws What `look` throws for any other reason.
 *
 * @example
 * ```ts
 * import { unlessGone } from "./no_such_process.ts";
 *
 * unlessGone(() => Deno.readTextFileSync("/proc/0/stat")); // null
 * ```
 */
export function unlessGone<T>(look: () => T): T | null {
  try {
    return look();
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound ||
      (error instanceof Error && "code" in error && error.code === "ENOENT");
    if (isAbsent || isNoSuchProcess(error)) return null;
    throw error;
  }
}
