/**
 * Puts the line that would grant it on errors of a missing permission, where a plugin's errors arrive.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import { suggestionFor } from "./grant_line.ts";

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
