/**
 * Asks whether the kernel filters system calls.
 *
 * @module
 */

import type { Probed } from "./probed.ts";
import { isProcHidden, readFact } from "./read_fact.ts";
import { runProgram } from "./run_program.ts";
import { filterTrialArguments, TRIAL_FILTER } from "./trial_arguments.ts";
import type { TrialOptions } from "./namespaces.ts";

/** Actions that Cordon's filters return. */
const NEEDED_ACTIONS: readonly string[] = ["kill_process", "errno", "allow"];
/** The first kernel that can end a process, and not just a thread, for a system call. */
const FIRST_KERNEL = [4, 14] as const;
const CAN_FILTER = "System calls can be filtered";
const CANNOT_FILTER = "System calls cannot be filtered";
const NEWER_KERNEL = "Boot a kernel from 4.14 on with CONFIG_SECCOMP_FILTER=y";

/**
 * Find out whether every answer that Cordon's filters give is supported: from /proc, or, where Deno keeps that from
 * this process, by starting a sandbox with a filter.
 *
 * @param trial What a trial sandbox needs, or why there can be none.
 * @returns The fact.
 */
export async function probeSeccomp(trial: TrialOptions | string): Promise<Probed<boolean>> {
  const actions = await readFact("/proc/sys/kernel/seccomp/actions_avail");
  if (actions === null && await isProcHidden()) return await tried(trial);
  const available = new Set((actions ?? "").split(/\s+/));
  const isComplete = NEEDED_ACTIONS.every((action) => available.has(action));
  const evidence = actions === null ? "no /proc/sys/kernel/seccomp/actions_avail" : `available: ${actions}`;
  return isComplete
    ? works(evidence)
    : fails(CANNOT_FILTER, evidence, [NEWER_KERNEL, "In a chroot: mount -t proc proc /proc"]);
}

async function tried(trial: TrialOptions | string): Promise<Probed<boolean>> {
  if (typeof trial === "string") return hidden(trial);
  const { bwrap, loader, account } = trial;
  const output = await runProgram(bwrap.path, filterTrialArguments(loader), { account, input: TRIAL_FILTER });
  const said = output === null ? "it cannot be started" : output.stderr.trim();
  if (output === null || !output.stdout.includes('"exit-code"')) return hidden(`bubblewrap: ${said}`);
  const kernel = Deno.osRelease();
  if (!isNewEnough(kernel)) return fails(CANNOT_FILTER, `kernel ${kernel}`, [NEWER_KERNEL]);
  return works("a trial sandbox with a filter started; Deno shows /proc only to hosts with --allow-all");
}

/** What stands in the way is the host's own permissions, as far as anybody can tell. */
function hidden(state: string): Probed<boolean> {
  const summary =
    "whether system calls can be filtered is unknown, as Deno shows /proc only to hosts with all " +
    "permissions, FFI among them, and no sandbox could be tried";
  return fails(summary, state, ["Run the host with --allow-all (deno run -A)"]);
}

function works(evidence: string): Probed<boolean> {
  return { fact: true, finding: { id: "seccomp", level: "ok", summary: CAN_FILTER, evidence } };
}

function fails(summary: string, evidence: string, fix: readonly string[]): Probed<boolean> {
  return { fact: false, finding: { id: "seccomp", level: "fail", summary, evidence, fix } };
}

function isNewEnough(kernel: string): boolean {
  const [major = 0, minor = 0] = kernel.split(".").map((part) => Number.parseInt(part));
  return major > FIRST_KERNEL[0] || (major === FIRST_KERNEL[0] && minor >= FIRST_KERNEL[1]);
}
