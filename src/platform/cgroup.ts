/**
 * Looks for a control group that this process may divide among its plugins.
 *
 * @module
 */

import type { Libc } from "./libc.ts";
import type { Probed } from "./probed.ts";
import { type DivisibleGroup, divisibleGroup } from "./cgroup_v2.ts";
import { canDivide, USEFUL_CONTROLLERS } from "./divide_group.ts";
import { isProcHidden, readFact } from "./read_fact.ts";
import type { PlatformFacts } from "./types.ts";

type CgroupFact = PlatformFacts["cgroup"];

/** A mounted cgroup file system. */
export interface CgroupMount {
  readonly version: 1 | 2;
  readonly mountPoint: string;
  /** Controllers of a version 1 hierarchy; none for version 2. */
  readonly controllers: readonly string[];
}

/**
 * Find the control group of this process, and try to make a child in it. A group of version 2 that was delegated to this
 * process is taken over: see `divisibleGroup()`.
 *
 * @param libc The C library, or null where it cannot be opened.
 * @returns The group, or null where none may be divided.
 */
export async function probeCgroup(libc: Libc | null): Promise<Probed<CgroupFact>> {
  const [mountInfo, membership] = await Promise.all([
    readFact("/proc/self/mountinfo"),
    readFact("/proc/self/cgroup"),
  ]);
  if (mountInfo === null || membership === null) {
    return await isProcHidden() ? hidden() : none("/proc says nothing about control groups");
  }
  const mounts = cgroupMounts(mountInfo);
  const groups = cgroupMembership(membership);
  const v2 = await ownV2(mounts, groups, libc);
  const fact = v2 !== null && "path" in v2 ? factV2(v2) : await rootV1(mounts, groups);
  if (fact === null) {
    const why = v2 !== null && "obstacle" in v2 ? `${v2.obstacle}; ` : "";
    return none(`${why}groups of this process: ${membership.replaceAll("\n", " ")}`);
  }
  const summary = `Memory, CPU and processes can be bounded by cgroup v${fact.version} (${
    fact.controllers.join(", ")
  })`;
  return { fact, finding: { id: "cgroup", level: "ok", summary, evidence: fact.path } };
}

function factV2({ path, controllers }: Extract<DivisibleGroup, { path: string }>): CgroupFact {
  const directories = Object.fromEntries(controllers.map((name) => [name, path]));
  return { version: 2, path, controllers, directories };
}

/**
 * List the cgroup file systems in a mount table.
 *
 * @param mountInfo Text of `/proc/self/mountinfo`.
 * @returns Each mounted hierarchy, in the table's order.
 */
export function cgroupMounts(mountInfo: string): readonly CgroupMount[] {
  const mounts: CgroupMount[] = [];
  for (const line of mountInfo.split("\n")) {
    const [before = "", after = ""] = line.split(" - ");
    const mountPoint = before.split(" ")[4] ?? "";
    const [type = "", , superOptions = ""] = after.split(" ");
    if (type === "cgroup2") mounts.push({ version: 2, mountPoint, controllers: [] });
    if (type === "cgroup") {
      const controllers = superOptions.split(",").filter((option) => USEFUL_CONTROLLERS.includes(option));
      mounts.push({ version: 1, mountPoint, controllers });
    }
  }
  return mounts;
}

/**
 * Read which group of each hierarchy a process is in.
 *
 * @param membership Text of `/proc/self/cgroup`.
 * @returns Controller name → path of the group; the empty name is version 2.
 */
export function cgroupMembership(membership: string): ReadonlyMap<string, string> {
  const groups = new Map<string, string>();
  for (const line of membership.split("\n")) {
    const match = /^\d+:([^:]*):(\/.*)$/.exec(line);
    for (const name of (match?.[1] ?? "").split(",")) {
      if (match !== null) groups.set(name, match[2] ?? "/");
    }
  }
  return groups;
}

async function ownV2(
  mounts: readonly CgroupMount[],
  groups: ReadonlyMap<string, string>,
  libc: Libc | null,
): Promise<DivisibleGroup | null> {
  const mount = mounts.find(({ version }) => version === 2);
  const group = groups.get("");
  if (mount === undefined || group === undefined) return null;
  return await divisibleGroup(mount.mountPoint, group, libc);
}

/** Version 1 has one hierarchy a controller, side by side in one directory. */
async function rootV1(
  mounts: readonly CgroupMount[],
  groups: ReadonlyMap<string, string>,
): Promise<CgroupFact> {
  const directories: Record<string, string> = {};
  let parent: string | null = null;
  for (const { version, mountPoint, controllers } of mounts) {
    if (version !== 1 || controllers.length === 0) continue;
    const directory = joined(mountPoint, groups.get(controllers[0] ?? "") ?? "/");
    if (!await canDivide(directory)) continue;
    parent = mountPoint.slice(0, mountPoint.lastIndexOf("/"));
    for (const controller of controllers) directories[controller] = directory;
  }
  const controllers = Object.keys(directories);
  return parent === null ? null : { version: 1, path: parent, controllers, directories };
}

function joined(mountPoint: string, group: string): string {
  return group === "/" ? mountPoint : `${mountPoint}${group}`;
}

function hidden(): Probed<CgroupFact> {
  return {
    fact: null,
    finding: {
      id: "cgroup",
      level: "warn",
      summary: "Control groups are not used: Deno shows them only to hosts with all permissions",
      evidence: "/proc and /sys may not be read",
      fix: ["Run the host with --allow-all (deno run -A)"],
    },
  };
}

function none(evidence: string): Probed<CgroupFact> {
  return {
    fact: null,
    finding: {
      id: "cgroup",
      level: "warn",
      summary: "No control group may be divided: limits fall back to rlimits and the host's watchdog",
      evidence,
      fix: [
        `Start the host in a group of its own: systemd-run ${
          Deno.uid() === 0 ? "" : "--user "
        }--scope -p Delegate=yes <command>`,
        "In a service of systemd: Delegate=yes in its [Service] section",
      ],
    },
  };
}
