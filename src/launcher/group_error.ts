/**
 * A control group that cannot be had, as an error.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";

/**
 * Say why a sandbox has no control group: its limits were promised, so nothing runs without it.
 *
 * @param plugin Name of the plugin.
 * @param cause What the file system said.
 * @returns The error to throw.
 */
export function groupError(plugin: string, cause: unknown): SandboxUnavailableError {
  const summary = `its control group cannot be made or entered: ${
    cause instanceof Error ? cause.message : String(cause)
  }`;
  return new SandboxUnavailableError(`Cannot start "${plugin}" as ${summary}`, {
    findings: [{ id: "cgroup", level: "fail", summary }],
    cause,
  });
}
