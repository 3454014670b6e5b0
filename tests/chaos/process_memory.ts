/**
 * What a process really costs, from proc_pid_smaps_rollup(5).
 *
 * @module
 */

/** Memory of a process in bytes. */
export interface ProcessMemory {
  /** Pages that only this process has. */
  readonly privateBytes: number;
  /** Those, and its share of the pages that others have too. */
  readonly proportionalBytes: number;
}

/**
 * Reads the memory of a process.
 *
 * @param pid A process that may be traced by this one.
 * @returns Its memory.
 */
export function processMemory(pid: number): ProcessMemory {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  const bytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1] ?? NaN) * 1024;
  return {
    privateBytes: bytes("Private_Clean") + bytes("Private_Dirty"),
    proportionalBytes: bytes("Pss"),
  };
}
