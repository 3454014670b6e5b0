/**
 * Tries whether a control group can be divided.
 *
 * @module
 */

import { groupOwner } from "../util/group_owner.ts";
import { isAbsent } from "./read_fact.ts";

/** Controllers that bound plugins. */
export const USEFUL_CONTROLLERS: readonly string[] = ["memory", "cpu", "pids"];

/**
 * Make a child and remove it: permissions, read-only mounts and delegation all show in that, and in nothing else.
 *
 * @param path Directory of the group.
 * @returns Whether it worked.
 */
export async function canDivide(path: string): Promise<boolean> {
  const child = `${path}/cordon-probe-${groupOwner()}-${crypto.randomUUID()}`;
  try {
    await Deno.mkdir(child);
    await Deno.remove(child);
    return true;
  } catch (error) {
    if (isAbsent(error) || isReadOnly(error)) return false;
    throw error;
  }
}

function isReadOnly(error: unknown): boolean {
  return error instanceof Error && (/os error (30|16)\)/).test(error.message);
}
