/**
 * Facts about processes that tests make up.
 *
 * @module
 */

import type { ExitReason } from "../../src/errors.ts";
import type { LimitEnforcement, LimitName } from "../../src/policy/types.ts";
import type { ExitFacts, RunningFacts } from "../../src/supervisor/status.ts";

const names: readonly LimitName[] = [
  "memory",
  "cpuPercent",
  "cpuSeconds",
  "wallMs",
  "processes",
  "openFiles",
  "fileSize",
  "tmp",
  "tmpInodes",
  "workers",
  "output",
  "core",
];
const none: LimitEnforcement = { requested: null, mechanism: "none", hard: false };

/** A process that runs. */
export const runningFacts: RunningFacts = {
  pid: 7,
  tier: "full",
  enforcement: Object.fromEntries(names.map((name) => [name, none])) as Record<LimitName, LimitEnforcement>,
  tensors: "shared",
};

/** A process that ended. */
export function exitFacts(reason: ExitReason, over: Partial<ExitFacts> = {}): ExitFacts {
  return { reason, exitCode: null, signal: null, stderrTail: "", ...over };
}
