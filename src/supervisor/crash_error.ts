/**
 * The death of a plugin's process as an error for whoever waited for it.
 *
 * @module
 */

import { PluginCrashedError } from "../errors.ts";
import type { ExitReason } from "../errors.ts";
import type { ExitFacts } from "./status.ts";

const HINTS: Readonly<Partial<Record<ExitReason, string>>> = {
  "memory-limit": `raise "limits.memory", or process less at a time`,
  "out-of-memory": `raise "limits.memory", or process less at a time`,
  "cpu-limit": `raise "limits.cpuSeconds"`,
  "wall-timeout": `raise "limits.wallMs", or make the call shorter`,
  "output-limit": `raise "limits.output", or print less`,
  "seccomp": "the plugin used a system call that no plugin may use",
};

/**
 * Describe a death.
 *
 * @param name The plugin.
 * @param exit How its process ended.
 * @returns The error for everything that was pending.
 */
export function crashError(name: string, exit: ExitFacts): PluginCrashedError {
  return new PluginCrashedError(`Plugin "${name}" died: ${describeDeath(exit)}`, {
    ...exit,
    hint: HINTS[exit.reason],
  });
}

function describeDeath({ reason, exitCode, signal }: ExitFacts): string {
  const how = signal !== null ? signal : exitCode !== null ? `exit code ${exitCode}` : "no exit status";
  return `${reason} (${how})`;
}
