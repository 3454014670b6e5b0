/**
 * How a guest ended, from what its processes left behind.
 *
 * @module
 */

import type { ExitReason } from "../errors.ts";
import type { ExitReport } from "./types.ts";
import { cordonExecFailure } from "./exec/mod.ts";
import { signalName } from "../util/signals.ts";

/** What is known when all processes of a sandbox are gone. */
export interface ExitFacts {
  /** Exit code of the process that was spawned; null if a signal ended it. */
  readonly code: number | null;
  /** Signal that ended the process that was spawned. */
  readonly signal: string | null;
  /** The process was bubblewrap, which reports a signal of the command as 128 + its number. */
  readonly isBwrap: boolean;
  /** Bubblewrap reported an exit code, so the command was really executed. */
  readonly isExecuted: boolean;
  /** How the kernel saw the command end, as wait(2) tells it; null if it does not tell. */
  readonly waitStatus: number | null;
  /** A connection was accepted, so the runtime itself had started. */
  readonly isConnected: boolean;
  /** The guest had announced its end. */
  readonly saidGoodbye: boolean;
  /** Why the host killed it, if it did. */
  readonly killReason: ExitReason | null;
  /** The kernel killed in its control group for want of memory. */
  readonly isOutOfMemory: boolean;
  /** So much time has passed that the limit on processor time can have been reached. */
  readonly mayHaveUsedUpCpu: boolean;
  /** The last bytes of stderr. */
  readonly stderrTail: string;
}

const OUT_OF_MEMORY = /out of memory|memory allocation of \d+ bytes failed|Cannot allocate memory|OOM error/i;
const CRASHES = new Set(["SIGTRAP", "SIGILL"]);
const ABORTS = new Set(["SIGABRT", "SIGSEGV", "SIGBUS"]);

/**
 * Classify an exit. Pure.
 *
 * @param facts What is known.
 * @returns The first reason that explains the end, with the facts.
 */
export function exitReport(facts: ExitFacts): ExitReport {
  const signal = facts.signal ?? commandSignal(facts);
  const exitCode = signal === null ? facts.code : null;
  return Object.freeze({ reason: exitReason(facts, signal), exitCode, signal, stderrTail: facts.stderrTail });
}

function exitReason(facts: ExitFacts, signal: string | null): ExitReason {
  if (facts.killReason !== null) return facts.killReason;
  if (facts.isOutOfMemory) return "memory-limit";
  if (facts.isBwrap && !facts.isExecuted && facts.signal === null) return "sandbox-setup-failed";
  if (signal !== null) return signalReason(facts, signal);
  if (!facts.isConnected && cordonExecFailure(facts.code, facts.stderrTail) !== null) {
    return "sandbox-setup-failed";
  }
  return facts.code === 0 ? "clean-exit" : "exit-code";
}

/** Bubblewrap cannot tell `exit 137` from SIGKILL; the kernel can, and the goodbye. */
function commandSignal(facts: ExitFacts): string | null {
  if (!facts.isBwrap || !facts.isExecuted || facts.code === null) return null;
  if (facts.waitStatus !== null) return signalName(facts.waitStatus & 0x7f);
  return facts.saidGoodbye ? null : signalName(facts.code - 128);
}

function signalReason(facts: ExitFacts, signal: string): ExitReason {
  if (signal === "SIGSYS") return "seccomp";
  if (signal === "SIGXCPU" || (signal === "SIGKILL" && facts.mayHaveUsedUpCpu)) return "cpu-limit";
  if (CRASHES.has(signal)) return "out-of-memory";
  if (ABORTS.has(signal) && OUT_OF_MEMORY.test(facts.stderrTail)) return "out-of-memory";
  return "signal";
}
