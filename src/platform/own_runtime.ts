/**
 * Finds the Deno executable that plugins run on when nobody named one.
 *
 * @module
 */

import { readableVariable } from "../util/readable_variable.ts";
import { isAbsent } from "./read_fact.ts";

/** What is known of this process. */
export interface ProcessRuntime {
  /** `deno compile` made it: its executable is no Deno. */
  readonly isStandalone: boolean;
  /** Path of its executable. */
  readonly execPath: string;
  /** The variable `PATH`, as far as it may be read. */
  readonly searchPath: string;
}

/**
 * The facts of this process.
 *
 * @returns Them, without asking for any permission.
 */
export function processRuntime(): ProcessRuntime {
  return {
    isStandalone: Deno.build.standalone,
    execPath: Deno.execPath(),
    searchPath: readableVariable("PATH") ?? "",
  };
}

/**
 * Find the runtime for plugins: that of this process, or one in `PATH` where this process is a compiled program.
 *
 * @param process What is known of this process.
 * @returns Absolute path, or null if there is none.
 */
export async function ownRuntime(process: ProcessRuntime): Promise<string | null> {
  if (!process.isStandalone) return process.execPath;
  for (const directory of process.searchPath.split(":")) {
    // An entry that depends on the working directory may lead anywhere.
    if (!directory.startsWith("/")) continue;
    const path = `${directory.replace(/\/+$/, "")}/deno`;
    if (await isExecutable(path)) return path;
  }
  return null;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    const { isFile, mode } = await Deno.stat(path);
    return isFile && ((mode ?? 0) & 0o111) !== 0;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
