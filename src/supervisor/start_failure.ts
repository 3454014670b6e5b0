/**
 * Why a sandbox did not come up, as an error with the cause and the repair.
 *
 * @module
 */

import type { LoadConfig } from "../config/types.ts";
import { LaunchError } from "../errors.ts";
import type { Finding } from "../errors.ts";
import type { ExitReport, LaunchedGuest } from "../launcher/types.ts";
import { classifyBwrapFailure, restrictionFacts } from "../platform/mod.ts";

/** What a start had come to. */
export interface FailedStart {
  readonly guest: LaunchedGuest;
  readonly config: Pick<LoadConfig, "name" | "startupTimeoutMs">;
  /** The time for the start has passed. */
  readonly isTimeout: boolean;
}

/**
 * End what was started and say why it did not come up.
 *
 * @param error What the start failed with.
 * @param start What there is of it.
 * @returns The error to throw; nothing is left.
 */
export async function startFailure(
  error: unknown,
  { guest, config, isTimeout }: FailedStart,
): Promise<LaunchError> {
  guest.kill(isTimeout ? "handshake-timeout" : "killed-by-host");
  const exit = await guest.exited;
  const isSetup = exit.reason === "sandbox-setup-failed";
  const what = isTimeout
    ? `no handshake within ${config.startupTimeoutMs} ms`
    : isSetup
    ? "the sandbox could not be set up"
    : `the process ended before its handshake (${exit.signal ?? `exit code ${exit.exitCode}`})`;
  const finding = isSetup ? await setupFinding(exit) : null;
  return new LaunchError(`Cannot start plugin "${config.name}": ${what}`, {
    stage: isSetup ? "sandbox" : "handshake",
    reason: exit.reason === "killed-by-host" ? null : exit.reason,
    exitCode: exit.exitCode,
    signal: exit.signal,
    stderrTail: exit.stderrTail,
    findings: finding === null ? [] : [finding],
    hint: finding?.fix?.[0] ?? startHint(isTimeout, isSetup),
    cause: error,
  });
}

function startHint(isTimeout: boolean, isSetup: boolean): string | undefined {
  // Nothing of the plugin has run by then.
  if (isTimeout) return "Raise startupTimeoutMs if this machine is only slow or busy";
  return isSetup ? "Run `cordon doctor` to see what this machine lacks" : undefined;
}

/** What bubblewrap said, beside the settings of this machine. The helper that runs after it speaks for itself. */
async function setupFinding({ exitCode, stderrTail }: ExitReport): Promise<Finding | null> {
  if (exitCode === null || !/^bwrap: /m.test(stderrTail)) return null;
  return classifyBwrapFailure({ stderr: stderrTail, exitCode }, await restrictionFacts());
}
