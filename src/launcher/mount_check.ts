/**
 * Whether a sandbox really shows what was granted, where bubblewrap had to be given paths.
 *
 * @module
 */

import type { Mount } from "../policy/types.ts";
import { PermissionDeniedError } from "../errors.ts";
import { procIdentity } from "./proc_view.ts";

/** What must stand at a path inside: the same file as when the grant was checked. */
export interface ExpectedMount {
  readonly target: string;
  readonly dev: number;
  readonly ino: number | null;
}

/**
 * Note which files the sources of mounts are.
 *
 * @param mounts Mounts whose sources are real paths.
 * @returns What must stand at each target.
 * @throws {PermissionDeniedError} If a source has become a link, or leads through one, since it was resolved.
 */
export function expectedMounts(mounts: readonly Mount[]): ExpectedMount[] {
  return mounts.map(({ source, target }) => {
    const actual = realPathNow(source, target);
    if (actual !== source) throw changed(target, `"${source}" leads to "${actual}" now`);
    const { dev, ino } = Deno.lstatSync(source);
    return { target, dev, ino };
  });
}

/**
 * Compare a running sandbox with what was noted. Call it before any plugin code runs.
 *
 * @param pid Pid of a process in the sandbox, as the host sees it.
 * @param expected What must stand where.
 * @param helper Path of cordon-exec, for hosts that may not look themselves.
 * @throws {PermissionDeniedError} If something else stands there: a path was swapped between its check and its mount.
 */
export function checkMounts(
  pid: number,
  expected: readonly ExpectedMount[],
  helper: string | null = null,
): void {
  for (const { target, dev, ino } of expected) {
    const actual = procIdentity(`/proc/${pid}/root${target}`, helper);
    if (actual.dev !== dev || actual.ino !== ino) throw changed(target, "another file stands there");
  }
}

function realPathNow(source: string, target: string): string {
  try {
    return Deno.realPathSync(source);
  } catch (error) {
    throw changed(target, error instanceof Error ? error.message : String(error));
  }
}

function changed(target: string, state: string): PermissionDeniedError {
  return new PermissionDeniedError(
    `Cannot show "${target}" as a granted path must stay what it was: ${state}`,
    {
      suggestion: "Grant the real path, and keep others from writing to the directory that contains it",
    },
  );
}
