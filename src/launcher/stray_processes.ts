/**
 * Processes that a dead host left behind.
 *
 * A host that is killed takes bubblewrap with it by the parent-death signal. In the moment between bubblewrap's clone()
 * and its word to the child to go on, that leaves the child waiting for ever: nothing of the plugin runs in it, or ever
 * will, but it stays. It still holds descriptors of files in its host's directory, by which it is known. A child that was
 * told to go on, but not yet to die with its parent, runs on: it is known by that directory's files among its mounts.
 *
 * @module
 */

import { isNoSuchProcess } from "../util/no_such_process.ts";
import { signalProcess } from "./signal_process.ts";

/** Paths below a host's directory as they end on every file system: a mount tells its source without what is above. */
const END_OF_DIRECTORY = /\/h-[0-9a-z]{8}(?:\/[^/]+)?$/;

/**
 * Kill what is left of a dead host or of one sandbox: processes that have its files among their mounts, and bubblewraps
 * that hold files of it. Where /proc may not be read, nothing is killed.
 *
 * @param directory Real path of the directory of the host, or of the sandbox.
 * @returns Their pids.
 */
export function killStrays(directory: string): number[] {
  const strays = allPids().filter((pid) => {
    return pid !== Deno.pid && (isBwrap(pid) && holdsFileIn(pid, directory) || mountsFilesOf(pid, directory));
  });
  for (const pid of strays) signalProcess(pid, "SIGKILL");
  return strays;
}

function allPids(): number[] {
  const names = unlessUnreadable(() => [...Deno.readDirSync("/proc")].map((entry) => entry.name));
  return (names ?? []).map(Number).filter((pid) => Number.isInteger(pid) && pid > 0);
}

function isBwrap(pid: number): boolean {
  return unlessUnreadable(() => Deno.readTextFileSync(`/proc/${pid}/comm`)) === "bwrap\n";
}

function holdsFileIn(pid: number, directory: string): boolean {
  const fds = unlessUnreadable(() => [...Deno.readDirSync(`/proc/${pid}/fd`)].map((entry) => entry.name)) ??
    [];
  return fds.some((fd) => {
    return unlessUnreadable(() => Deno.readLinkSync(`/proc/${pid}/fd/${fd}`))?.startsWith(`${directory}/`) ===
      true;
  });
}

function mountsFilesOf(pid: number, directory: string): boolean {
  const end = END_OF_DIRECTORY.exec(directory)?.[0];
  if (end === undefined) return false;
  return unlessUnreadable(() => Deno.readTextFileSync(`/proc/${pid}/mountinfo`))?.includes(`${end}/`) ===
    true;
}

/** Null for what is gone, belongs to somebody else, or must not be read by this host. */
function unlessUnreadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
    if (error instanceof NotFound || error instanceof PermissionDenied || error instanceof NotCapable) {
      return null;
    }
    // EINVAL: a process that has ended, but has not been waited for, has no mounts.
    if (isNoSuchProcess(error) || (error instanceof Error && /\(os error 22\)/.test(error.message))) {
      return null;
    }
    throw error;
  }
}
