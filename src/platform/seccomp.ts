/**
 * Asks whether the kernel filters system calls.
 *
 * @module
 */

import type { Probed } from "./probed.ts";
import { readFact } from "./read_fact.ts";

/** Actions that Cordon's filters return. */
const NEEDED_ACTIONS: readonly string[] = ["kill_process", "errno", "allow"];

/**
 * Read which answers a system call filter may give.
 *
 * @returns Whether every answer that Cordon's filters give is supported.
 */
export async function probeSeccomp(): Promise<Probed<boolean>> {
  const actions = await readFact("/proc/sys/kernel/seccomp/actions_avail");
  const available = new Set((actions ?? "").split(/\s+/));
  const isComplete = NEEDED_ACTIONS.every((action) => available.has(action));
  const evidence = actions === null ? "no /proc/sys/kernel/seccomp/actions_avail" : `available: ${actions}`;
  if (isComplete) {
    return {
      fact: true,
      finding: { id: "seccomp", level: "ok", summary: "System calls can be filtered", evidence },
    };
  }
  const fix = [
    "Boot a kernel from 4.14 on with CONFIG_SECCOMP_FILTER=y",
    "In a chroot: mount -t proc proc /proc",
  ];
  const summary = "System calls cannot be filtered";
  return { fact: false, finding: { id: "seccomp", level: "fail", summary, evidence, fix } };
}
