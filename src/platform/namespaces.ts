/**
 * Starts a real sandbox, to know rather than to guess whether namespaces work here.
 *
 * @module
 */

import { classifyBwrapFailure } from "./classify_bwrap_failure.ts";
import type { Probed } from "./probed.ts";
import { restrictionFacts } from "./restriction_facts.ts";
import { runProgram } from "./run_program.ts";
import { trialArguments } from "./trial_arguments.ts";
import type { BwrapFacts } from "./types.ts";

/** What a trial needs. */
export interface TrialOptions {
  readonly bwrap: BwrapFacts;
  /** Real path of the dynamic loader, the program inside. */
  readonly loader: string;
  /** Account under which a root host starts sandboxes; undefined keeps the host's own. */
  readonly account: { readonly uid: number; readonly gid: number } | undefined;
}

/**
 * Start a sandbox with the namespaces of a real one.
 *
 * @param options Program, loader and account.
 * @returns Whether the program inside was reached, and otherwise the cause with its fix.
 */
export async function probeNamespaces(options: TrialOptions): Promise<Probed<boolean>> {
  const { bwrap, loader, account } = options;
  const output = await runProgram(bwrap.path, trialArguments(loader), { account });
  if (output === null) {
    const stderr = account === undefined
      ? "it cannot be started"
      : `it cannot be started as uid ${account.uid}`;
    const failure = { exitCode: -1, stderr };
    return { fact: false, finding: classifyBwrapFailure(failure, await restrictionFacts()) };
  }
  if (!hasReachedProgram(output.stdout)) {
    return { fact: false, finding: classifyBwrapFailure(output, await restrictionFacts()) };
  }
  const who = account === undefined ? `uid ${Deno.uid()}` : `uid ${account.uid}, switched to from root`;
  return {
    fact: true,
    finding: {
      id: "user-namespaces",
      level: "ok",
      summary: "A trial sandbox with namespaces for users, processes, network, IPC and host name started",
      evidence: `bwrap as ${who}, nested user namespaces disabled, no capabilities, read-only root`,
    },
  };
}

/** bubblewrap writes `exit-code` only when every step of its own had succeeded and the program inside ran. */
function hasReachedProgram(status: string): boolean {
  return /"exit-code"/.test(status);
}
