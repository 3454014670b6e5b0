/**
 * Puts the line that would grant it on errors of a missing permission, where a plugin's errors arrive.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { grantLine, suggestionFor } from "./grant_line.ts";

/**
 * Add `suggestion` to Deno's own error of a missing permission. What it says comes from the plugin: it is for people who
 * decide, nothing acts on it.
 *
 * @param error An error that a plugin threw.
 */
export function addSuggestion(error: Error): void {
  if (!(error instanceof Deno.errors.NotCapable)) return;
  const suggestion = suggestionFor(error.message);
  if (suggestion === null) return;
  Object.defineProperty(error, "suggestion", {
    value: suggestion,
    writable: true,
    configurable: true,
    enumerable: true,
  });
}

/**
 * What to do about an error of a missing permission, in words.
 *
 * @param error Anything that was thrown.
 * @returns A hint with the line; undefined for other errors.
 */
export function grantHint(error: unknown): string | undefined {
  const suggestion = error instanceof PermissionDeniedError
    ? error.suggestion
    : error instanceof Deno.errors.NotCapable
    ? suggestionFor(error.message)
    : null;
  return suggestion === null ? undefined : `To grant it: ${suggestion}`;
}

/** How Deno ends the message of an operation on a relative path. */
const RELATIVE_PATH = /: \w+ '([^/'][^']*)'$/;

/**
 * What to do about a relative path that leads nowhere, as the plugin does not start where the host is.
 *
 * @param error Anything that was thrown.
 * @param policy Where the plugin starts.
 * @returns A hint with the line that would grant the path; undefined for other errors.
 */
export function startingPlaceHint(
  error: unknown,
  { workingDirectory }: Pick<SandboxPolicy, "workingDirectory">,
): string | undefined {
  if (workingDirectory !== null || !(error instanceof Deno.errors.NotFound)) return undefined;
  const line = grantLine("read", RELATIVE_PATH.exec(error.message)?.[1] ?? null);
  if (line === null) return undefined;
  return `Nothing of the current directory is granted, so code starts in a directory of its own. To grant it: ${line}`;
}
