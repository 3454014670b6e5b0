/**
 * A start that failed, told as the end of a process.
 *
 * @module
 */

import { type ExitReason, LaunchError, type LaunchStage } from "../errors.ts";
import type { ExitFacts } from "./status.ts";

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
  const { stage, exitCode, signal, stderrTail } = error;
  return { reason: reasons[stage], exitCode, signal, stderrTail };
}
