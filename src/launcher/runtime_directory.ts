/**
 * The directory below which every host of an account keeps its sockets.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import { ConfigError } from "../errors.ts";
import { accessObstacle } from "../policy/account_access.ts";
import { dirname, join } from "node:path";
import { runSockets } from "./run_sockets.ts";

/** `sockaddr_un.sun_path` without its terminator. */
const MAX_SOCKET_PATH_BYTES = 107;
/** What is added below the runtime directory: a host's directory, a sandbox's, and what sandboxes have in theirs. */
const LONGEST_RUN = "/h-01234567/zzzzzz/r";

/**
 * Make the runtime directory, or check that an existing one is ours alone.
 *
 * @param path Absolute path.
 * @param runAs Account that must be able to reach what lies in it, or null if that is our own.
 * @returns Its real path.
 * @throws {ConfigError} If it is somebody else's, writable for others, out of the account's reach, too long for sockets, or cannot
 * be made.
 */
export async function runtimeDirectory(path: string, runAs: Account | null): Promise<string> {
  const { isNew, info } = await madeDirectory(path);
  if (!info.isDirectory) throw refused(path, "it is not a directory");
  if (info.uid !== Deno.uid()) throw refused(path, `it belongs to uid ${info.uid}, not to ${Deno.uid()}`);
  // An existing directory may serve others, too: it is left as it is.
  if (isNew) await Deno.chmod(path, runAs === null ? 0o700 : 0o711);
  else if (((info.mode ?? 0) & 0o022) !== 0) throw refused(path, "others can write to it");
  const real = await Deno.realPath(path);
  if (real.includes(",")) throw refused(path, "Deno's permissions separate paths by commas");
  const sockets = Object.values(runSockets(real + LONGEST_RUN));
  if (sockets.some((socket) => new TextEncoder().encode(socket).length > MAX_SOCKET_PATH_BYTES)) {
    throw refused(path, `a socket below it would have a path of more than ${MAX_SOCKET_PATH_BYTES} bytes`);
  }
  const obstacle = runAs === null ? null : await accessObstacle(real, runAs, "reach");
  if (runAs !== null && obstacle !== null) {
    throw refused(path, `uid ${runAs.uid} has no "${obstacle.missing}" on "${obstacle.path}"`);
  }
  return real;
}

/**
 * Hold the lock of the whole runtime directory while something runs: hosts are made and swept one at a time.
 *
 * @param directory Real path of the runtime directory.
 * @param action Runs with the lock held.
 * @returns What `action` returns.
 */
export async function withRuntimeLock<T>(directory: string, action: () => Promise<T>): Promise<T> {
  using lock = await openLock(join(directory, "lock"));
  await lock.lock(true);
  return await action();
}

/**
 * Open a file that is only there to be locked. The kernel lets go of the lock when the process ends, however it ends.
 *
 * @param path Made if it does not exist.
 * @returns The open file; closing it gives the lock up.
 */
export function openLock(path: string): Promise<Deno.FsFile> {
  return Deno.open(path, { read: true, write: true, create: true, mode: 0o600 });
}

async function madeDirectory(
  path: string,
): Promise<{ readonly isNew: boolean; readonly info: Deno.FileInfo }> {
  try {
    const isNew = await makeDirectory(path);
    return { isNew, info: await Deno.lstat(path) };
  } catch (error) {
    // Read-only, forbidden, full, or a file on the way: whatever it is, another directory is the way out.
    throw error instanceof Error ? refused(path, `it cannot be made: ${error.message}`, error) : error;
  }
}

/** True if the directory did not exist before. */
async function makeDirectory(path: string): Promise<boolean> {
  await Deno.mkdir(dirname(path), { recursive: true, mode: 0o755 });
  try {
    await Deno.mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    throw error;
  }
}

function refused(path: string, state: string, cause?: Error): ConfigError {
  return new ConfigError(`Cannot use "${path}" as the runtime directory: ${state}`, {
    path: "runtimeDirectory",
    hint: "Name another directory in the host's option `runtimeDirectory`",
    cause,
  });
}
