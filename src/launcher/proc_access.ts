/**
 * Whether this host may look at its sandboxes from outside.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import type { SandboxPolicy } from "../policy/types.ts";

/**
 * Make sure that limits which the host itself watches can be watched, before anything is started.
 *
 * @param policy Its limits say what has to be watched.
 * @throws {SandboxUnavailableError} If such a limit is set and this host may not read /proc.
 */
export function demandProcAccess({ plugin, limits }: SandboxPolicy): void {
  const watched = [limits.cpuPercent === null ? [] : "cpuPercent", limits.tmpBytes === 0 ? [] : "tmp"].flat();
  if (watched.length === 0) return;
  try {
    Deno.readTextFileSync("/proc/self/stat");
  } catch (cause) {
    const summary = "the host may not read /proc, so it cannot see what a plugin uses";
    const findings = watched.map((name) => (
      { id: `limit-${name}`, level: "fail", summary, fix: ["Run the host with --allow-all"] } as const
    ));
    const names = watched.map((name) => `limits.${name}`).join(" and ");
    throw new SandboxUnavailableError(`Cannot start "${plugin}" as ${names} must be watched: ${summary}`, {
      findings,
      cause,
    });
  }
}
