/**
 * Removing what hosts left behind that were killed.
 *
 * @module
 */

import { openLock } from "./runtime_directory.ts";
import { join } from "node:path";
import { killStrays } from "./stray_processes.ts";

const HOST_DIRECTORY = /^h-[0-9a-z]{8}$/;

/**
 * Remove the directories of all hosts that no longer live, and what is left of their processes. A living host holds the lock
 * in its directory.
 *
 * @param directory Real path of the runtime directory, whose lock the caller holds.
 * @returns Paths that were removed.
 */
export async function sweepLocked(directory: string): Promise<string[]> {
  const removed: string[] = [];
  for await (const entry of Deno.readDir(directory)) {
    if (!entry.isDirectory || !HOST_DIRECTORY.test(entry.name)) continue;
    const path = join(directory, entry.name);
    if (await removeIfStale(path)) removed.push(path);
  }
  return removed;
}

async function removeIfStale(path: string): Promise<boolean> {
  using lock = await openLockOf(path);
  if (lock === null || !await lock.tryLock(true)) return false;
  killStrays(path);
  await removeTree(path);
  return true;
}

/**
 * Remove a directory and everything in it, whoever else may be removing it.
 *
 * @param path The directory. It need not exist.
 */
export async function removeTree(path: string): Promise<void> {
  try {
    await Deno.remove(path, { recursive: true });
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Null if the host removed its directory in this moment. */
async function openLockOf(path: string): Promise<Deno.FsFile | null> {
  try {
    return await openLock(join(path, "lock"));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
