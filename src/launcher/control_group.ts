/**
 * The control group of one sandbox: made before its first process, removed after its last.
 *
 * @module
 */

import type { SandboxPolicy } from "../policy/types.ts";
import { join } from "node:path";
import { groupOwner, ownerOfGroup } from "../util/group_owner.ts";
import { isNoSuchProcess } from "../util/no_such_process.ts";

/** What the runtime itself needs before the plugin has done anything. */
const IDLE_BYTES = 64 * 2 ** 20;
const PERIOD_US = 100_000;

/** The kernel takes a moment to let go of processes that have been waited for. */
const REMOVAL_MS = 1000;
const STEP_MS = 5;

/** A leaf in each hierarchy. */
export interface ControlGroup {
  /**
   * Put a process into it. That takes the kernel some milliseconds, in which the runtime can boot.
   *
   * @param pid The process; one that has ended meanwhile is left to whoever waits for it.
   * @throws {Error} If the kernel does not let it in.
   */
  enter(pid: number): Promise<void>;
  /** Whether the kernel has killed in it for want of memory. */
  hasBeenOutOfMemory(): boolean;
  /** Remove it; a leaf that still has processes after a second is left behind. */
  [Symbol.asyncDispose](): Promise<void>;
}

/**
 * A name for the leaves of one sandbox. Sandboxes of all hosts may share a parent, so it is one that nobody else makes
 * up, and says whose they are.
 *
 * @returns `cordon-<owner>-<uuid>`.
 */
export function leafName(): string {
  return `cordon-${groupOwner()}-${crypto.randomUUID()}`;
}

/**
 * Make the control group of a sandbox and set its bounds.
 *
 * @param policy Its limits, and where its leaves are made.
 * @param name Name of the leaves, as `leafName()` makes it; nobody else uses it.
 * @returns The group, or null if the policy has none. The caller disposes it.
 * @throws {Deno.errors.PermissionDenied} Or another error of the file system, if a leaf cannot be made or a bound not be set.
 */
export function controlGroup(policy: SandboxPolicy, name: string): ControlGroup | null {
  if (policy.cgroup === null) return null;
  const { version, directories } = policy.cgroup;
  const leaf = (controller: string) => join(directories[controller]!, name);
  const leaves = [...new Set(Object.keys(directories).map(leaf))];
  for (const directory of new Set(Object.values(directories))) sweepLeaves(directory);
  using cleanup = new DisposableStack();
  for (const path of leaves) {
    Deno.mkdirSync(path);
    cleanup.defer(() => Deno.removeSync(path));
  }
  for (const [controller, files] of Object.entries(bounds(policy, version))) {
    if (!Object.hasOwn(directories, controller)) continue;
    for (const [file, value] of files) setBound(join(leaf(controller), file), value);
  }
  const counter = join(leaf("memory"), version === 1 ? "memory.oom_control" : "memory.events");
  cleanup.move();
  return {
    enter: async (pid) => {
      for (const path of leaves) await enterLeaf(path, pid);
    },
    hasBeenOutOfMemory: () => hasKilled(counter),
    [Symbol.asyncDispose]: async () => {
      for (const path of leaves) await removeLeaf(path);
    },
  };
}

async function enterLeaf(path: string, pid: number): Promise<void> {
  try {
    await Deno.writeTextFile(join(path, "cgroup.procs"), String(pid), { create: false });
  } catch (error) {
    if (!isNoSuchProcess(error)) throw error;
  }
}

/** Remove what hosts left that were killed, and workers that were terminated. Only an empty leaf can be removed. */
function sweepLeaves(directory: string): void {
  const own = groupOwner();
  for (const { name } of Deno.readDirSync(directory)) {
    const owner = ownerOfGroup(name, own);
    if (owner === null || isThere(`/proc/${owner}`)) continue;
    try {
      Deno.removeSync(join(directory, name));
    } catch (error) {
      // Another host was faster, or its last processes are just ending.
      if (!(error instanceof Deno.errors.NotFound) && !isBusy(error)) throw error;
    }
  }
}

/** It makes a reason for an end more exact: a leaf that is gone or cannot be read has nothing to tell. */
function hasKilled(counter: string): boolean {
  try {
    return /^oom_kill [1-9]/m.test(Deno.readTextFileSync(counter));
  } catch {
    return false;
  }
}

function isThere(path: string): boolean {
  try {
    Deno.lstatSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EBUSY";
}

async function removeLeaf(path: string): Promise<void> {
  const end = performance.now() + REMOVAL_MS;
  for (;;) {
    try {
      return Deno.removeSync(path);
    } catch (error) {
      if (!isBusy(error)) throw error;
      // Whatever hides in it is bounded still; the report of an exit does not wait for it.
      if (performance.now() > end) return;
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }
}

function setBound(file: string, value: string): void {
  // Kernels that do not account for swap have no bound on it: what is not swapped at all needs none.
  const isSwap = file.endsWith("/memory.memsw.limit_in_bytes") && !isThere(file);
  if (isSwap) return Deno.writeTextFileSync(join(file, "../memory.swappiness"), "0", { create: false });
  Deno.writeTextFileSync(file, value, { create: false });
}

type Files = readonly (readonly [file: string, value: string])[];

function bounds({ limits, enforcement }: SandboxPolicy, version: 1 | 2): Readonly<Record<string, Files>> {
  const memory = String(limits.memoryBytes + limits.tmpBytes + IDLE_BYTES);
  const quota = enforcement.cpuPercent.mechanism.startsWith("cgroup") && limits.cpuPercent !== null
    ? String(Math.round(limits.cpuPercent / 100 * PERIOD_US))
    : null;
  const pids = [["pids.max", String(limits.processes)]] as const;
  if (version === 2) {
    return {
      memory: [["memory.max", memory], ["memory.swap.max", "0"], ["memory.oom.group", "1"]],
      pids,
      cpu: quota === null ? [] : [["cpu.max", `${quota} ${PERIOD_US}`]],
    };
  }
  return {
    // The second bounds memory and swap together and may not be below the first.
    memory: [["memory.limit_in_bytes", memory], ["memory.memsw.limit_in_bytes", memory]],
    pids,
    cpu: quota === null ? [] : [["cpu.cfs_period_us", String(PERIOD_US)], ["cpu.cfs_quota_us", quota]],
  };
}
