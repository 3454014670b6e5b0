/** Processes and their children. */

import { isNoSuchProcess } from "../../src/util/no_such_process.ts";

/**
 * Processes that a process started and that have not ended.
 *
 * @param parent Its pid.
 * @returns Their pids; none when it has ended.
 */
export function nativeChildren(parent: number): number[] {
  try {
    const threads = [...Deno.readDirSync(`/proc/${parent}/task`)];
    return threads.flatMap(({ name }) => childrenOf(`/proc/${parent}/task/${name}/children`));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return [];
    throw error;
  }
}

function childrenOf(file: string): number[] {
  return Deno.readTextFileSync(file).split(" ").filter((word) => word !== "").map(Number);
}
