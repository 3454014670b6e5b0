/**
 * Makes this process' own group of version 2 one whose children can be bounded.
 *
 * Controllers are switched on for children only, and only in a group without processes of its own (cgroups(7), "no
 * internal processes"). So where the group was given to us, all that is in it moves one level down, this process included.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import { basename, dirname, join } from "node:path";
import { isDelegated, isKin } from "./cgroup_ownership.ts";
import { canDivide, USEFUL_CONTROLLERS } from "./divide_group.ts";
import { readFact } from "./read_fact.ts";

/** Where this process goes. The name has no pid: several hosts of one group share it. */
export const HOST_LEAF = "cordon-host";

/** Processes may start others while they are moved. */
const MAX_ATTEMPTS = 10;
/** What a sandbox needs to be bounded at all. */
const NEEDED: readonly string[] = ["memory", "pids"];

/** A group that may be divided, or why there is none. */
export type DivisibleGroup =
  | { readonly path: string; readonly controllers: readonly string[] }
  | { readonly obstacle: string };

/**
 * Find the group whose children this process may make and bound; take the group over if it was delegated.
 *
 * @param mountPoint Where version 2 is mounted.
 * @param group Path of this process' group in it.
 * @param libc The C library, with which delegation is asked for; null where it cannot be opened.
 * @returns The group, with the controllers that are switched on for its children.
 */
export async function divisibleGroup(
  mountPoint: string,
  group: string,
  libc: Libc | null,
): Promise<DivisibleGroup> {
  const own = group === "/" ? mountPoint : join(mountPoint, group);
  const path = basename(own) === HOST_LEAF ? dirname(own) : own;
  const available = await controllersIn(`${path}/cgroup.controllers`);
  if (!NEEDED.every((name) => available.includes(name))) {
    return { obstacle: `the controllers of ${path} are: ${available.join(", ") || "none"}` };
  }
  if (!await canDivide(path)) return { obstacle: `${path} belongs to somebody else` };
  const isRootGroup = await readFact(`${path}/cgroup.type`) === null;
  const isContainerRoot = !isRootGroup && path === mountPoint;
  if (isRootGroup) await switchOn(path, available);
  else if (isContainerRoot || await isDelegated(path, libc)) {
    const obstacle = await takeOver(path, available, isContainerRoot);
    if (obstacle !== null) return { obstacle };
  }
  const controllers = await controllersIn(`${path}/cgroup.subtree_control`);
  if (NEEDED.every((name) => controllers.includes(name))) return { path, controllers };
  return { obstacle: `${path} was not delegated to this process` };
}

async function controllersIn(file: string): Promise<readonly string[]> {
  return (await readFact(file) ?? "").split(" ").filter((name) => USEFUL_CONTROLLERS.includes(name));
}

/** Moves everything in a group into a leaf of it and switches controllers on; puts it back if that cannot be. */
async function takeOver(
  path: string,
  controllers: readonly string[],
  isKinOnly: boolean,
): Promise<string | null> {
  const leaf = join(path, HOST_LEAF);
  const moved: string[] = [];
  let obstacle = "processes keep coming";
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    const pids = (await Deno.readTextFile(`${path}/cgroup.procs`)).split("\n").filter((pid) => pid !== "");
    const stranger = pids.find((pid) => pid === "0" || (isKinOnly && !isKin(Number(pid))));
    if (stranger !== undefined) {
      obstacle = `process ${stranger} is in ${path}, too, and does not belong to this one`;
      break;
    }
    if (pids.length > 0) await Deno.mkdir(leaf, { recursive: true });
    for (const pid of pids) if (await move(pid, leaf)) moved.push(pid);
    if (await switchOn(path, controllers)) return null;
  }
  for (const pid of moved) await move(pid, path);
  return obstacle;
}

/** False for a process that has ended meanwhile. */
async function move(pid: string, group: string): Promise<boolean> {
  try {
    await Deno.writeTextFile(`${group}/cgroup.procs`, pid, { create: false });
    return true;
  } catch (error) {
    if (isErrno(error, 3)) return false;
    throw error;
  }
}

/** False while there are processes in the group. */
async function switchOn(path: string, controllers: readonly string[]): Promise<boolean> {
  try {
    const text = controllers.map((name) => `+${name}`).join(" ");
    await Deno.writeTextFile(`${path}/cgroup.subtree_control`, text, { create: false });
    return true;
  } catch (error) {
    if (isErrno(error, 16)) return false;
    throw error;
  }
}

function isErrno(error: unknown, number: number): boolean {
  return error instanceof Error && error.message.includes(`(os error ${number})`);
}
