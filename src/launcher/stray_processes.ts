/**
 * Processes that a dead host left behind.
 *
 * A host that is killed takes bubblewrap with it by the parent-death signal. In the moment between bubblewrap's clone()
 * and its word to the child to go on, that leaves the child waiting for ever: nothing of the plugin runs in it, or ever
 * will, but it stays. It still holds descriptors of files in its host's directory, by which it is known.
 *
 * @module
 */

import { signalProcess } from "./signal_process.ts";

/**
 * Kill bubblewraps that hold files of a dead host. Where /proc may not be read, nothing is killed.
 *
 * @param directory Real path of the dead host's directory.
 * @returns Their pids.
 */
export function killStrays(directory: string): number[] {
  const strays = allPids().filter((pid) => isBwrap(pid) && holdsFileIn(pid, directory));
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

/** Null for what is gone, belongs to somebody else, or must not be read by this host. */
function unlessUnreadable<T>(read: () => T): T | null {
  try {
    return read();
  } catch (error) {
    const { NotFound, PermissionDenied, NotCapable } = Deno.errors;
    if (error instanceof NotFound || error instanceof PermissionDenied || error instanceof NotCapable) {
      return null;
    }
    if (error instanceof Error && "code" in error && error.code === "ESRCH") return null;
    throw error;
  }
}
