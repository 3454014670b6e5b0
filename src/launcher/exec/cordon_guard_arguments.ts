/**
 * A guarded start as arguments of cordon-exec.
 *
 * @module
 */

import type { GuardPlan } from "./exec_plan.ts";

/**
 * Compile a guarded start into the arguments of cordon-exec, which stays as the parent of the command, ends like it, and
 * ends everything that it started when its own parent dies.
 *
 * @param plan With whom to end, and what is handed over once the guard exists.
 * @param command Absolute path of the program, and its arguments.
 * @returns Arguments after the program's own name.
 * @throws {TypeError} If the program's path is not absolute.
 *
 * @example
 * ```ts
 * import { cordonGuardArguments } from "./cordon_guard_arguments.ts";
 *
 * console.log(cordonGuardArguments({ parentPid: 42 }, ["/usr/bin/true"]));
 * // ["--guard", "--pdeathsig=42", "--", "/usr/bin/true"]
 * ```
 */
export function cordonGuardArguments(plan: GuardPlan, command: readonly [string, ...string[]]): string[] {
  if (!command[0].startsWith("/")) {
    throw new TypeError(
      `Cannot pass ${JSON.stringify(command[0])} to cordon-exec as it must be an absolute path`,
    );
  }
  const report = plan.reportFd === undefined ? [] : [`--report=${plan.reportFd}`];
  return ["--guard", `--pdeathsig=${plan.parentPid}`, ...report, ...handOverOptions(plan), "--", ...command];
}

function handOverOptions({ handOver }: GuardPlan): string[] {
  if (handOver === undefined) return [];
  const { descriptors, statusPath, stdinFd, account } = handOver;
  return [
    `--receive=${descriptors}`,
    `--status=${statusPath}`,
    ...(stdinFd === null ? [] : [`--stdin=${stdinFd}`]),
    ...(account === null ? [] : [`--account=${account.uid}:${account.gid}`]),
  ];
}
