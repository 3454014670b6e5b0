/**
 * What bubblewrap must be able to do.
 *
 * @module
 */

/** Long options without which a sandbox cannot be started as it must be; 0.8.0 is the first to have all of them. */
export const REQUIRED_BWRAP_OPTIONS: readonly string[] = Object.freeze([
  "args",
  "as-pid-1",
  "disable-userns",
  "json-status-fd",
  "perms",
  "seccomp",
  "size",
]);
