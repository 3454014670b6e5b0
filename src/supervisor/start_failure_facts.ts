/**
 * A start that failed, told as the end of a process.
 *
 * @module
 */

import { type ExitReason, LaunchError, type LaunchStage } from "../errors.ts";
import type { ExitFacts } from "./status.ts";

/** What a stage that failed means where no process has ended by itself. */
const reasons: Readonly<Record<LaunchStage, ExitReason>> = Object.freeze({
  spawn: "spawn-failed",
  sandbox: "sandbox-setup-failed",
  handshake: "handshake-timeout",
  import: "spawn-failed",
});

/**
 * What a failed start says about the process.
 *
 * @param error What the start rejected with.
 * @returns The facts of its end.
 */
export function startFailureFacts(error: unknown): ExitFacts {
  if (!(error instanceof LaunchError)) {
    return { reason: "spawn-failed", exitCode: null, signal: null, stderrTail: "" };
  }
  const { stage, reason, exitCode, signal, stderrTail } = error;
  return { reason: reason ?? reasons[stage], exitCode, signal, stderrTail };
}
