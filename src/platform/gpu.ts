/**
 * Lists the device nodes of GPUs.
 *
 * @module
 */

import type { Probed } from "./probed.ts";
import { isAbsent } from "./read_fact.ts";

const IN_DEV = /^(nvidia\d+|nvidiactl|nvidia-uvm|nvidia-uvm-tools|nvidia-modeset|dxg|kfd)$/;
const IN_DRI = /^(card|renderD)\d+$/;

/**
 * List the GPU devices that a plugin could be given.
 *
 * @returns Absolute paths, sorted.
 */
export async function probeGpu(): Promise<Probed<readonly string[]>> {
  const [top, dri] = await Promise.all([names("/dev", IN_DEV), names("/dev/dri", IN_DRI)]);
  const fact = [...top, ...dri].sort();
  const summary = fact.length === 0 ? "No GPU device was found" : `${fact.length} GPU devices were found`;
  const level = fact.length === 0 ? "skip" : "ok";
  return { fact, finding: { id: "gpu", level, summary, evidence: fact.join(", ") || "/dev and /dev/dri" } };
}

async function names(directory: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (pattern.test(name)) found.push(`${directory}/${name}`);
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return found;
}
