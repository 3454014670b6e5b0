/**
 * What the kernel says about a plugin's process, whatever this host may do itself.
 *
 * @module
 */

import { procText } from "../launcher/proc_view.ts";
import type { HostFiles } from "../launcher/types.ts";
import type { Native } from "../native/mod.ts";

/** Ways to look. */
export interface ProcessView {
  /** The native library, which may look, or null. */
  readonly native: Native | null;
  /** Files of the host; the helper among them may look too. */
  readonly files: HostFiles;
}

/**
 * Read a number of `/proc/<pid>/status`: proc_pid_status(5).
 *
 * @param view Ways to look.
 * @param pid Pid as the host sees it.
 * @param fields Names of sizes, such as `"VmData"`.
 * @returns The sizes in bytes; those that the kernel does not tell are missing.
 */
export function processSizes<Field extends string>(
  { native, files }: ProcessView,
  pid: number,
  fields: readonly Field[],
): Readonly<Partial<Record<Field, number>>> {
  const path = `/proc/${pid}/status`;
  const text = native === null ? procText(path, files.exec) : new TextDecoder().decode(native.readFile(path));
  const sizes: Partial<Record<Field, number>> = {};
  for (const field of fields) {
    const kibibytes = new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(text)?.[1];
    if (kibibytes !== undefined) sizes[field] = Number(kibibytes) * 1024;
  }
  return sizes;
}
