/**
 * What one host keeps in the runtime directory while it lives.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import type { HostDirectory, Runtime } from "./types.ts";
import { join } from "node:path";
import { hostFiles } from "./host_files.ts";
import { openLock, runtimeDirectory, withRuntimeLock } from "./runtime_directory.ts";
import { sandboxDirectory } from "./sandbox_directory.ts";
import { removeTree, sweepLocked } from "./sweep_stale.ts";

/** What a host's directory is made of. */
export interface HostDirectoryOptions {
  /** Absolute path of the directory that all hosts of this account share. */
  readonly runtimeDirectory: string;
  /** Account under which sandboxes run, or null for our own. */
  readonly runAs: Account | null;
  /** The Deno runtime for plugins. */
  readonly deno: Runtime["deno"];
  /** Source text of the guest. */
  readonly guestScript: string;
  /** Path of the native library, or null when there is none. */
  readonly nativeLibrary: string | null;
}

/**
 * Sweep what dead hosts left, then make and lock the directory of this one.
 *
 * @param options What it is made of.
 * @returns The directory; disposing removes it. A host that is killed leaves it to the next one's sweep.
 * @throws {ConfigError} If the runtime directory cannot be used.
 */
export async function openHostDirectory(options: HostDirectoryOptions): Promise<HostDirectory> {
  const { runAs } = options;
  const parent = await runtimeDirectory(options.runtimeDirectory, runAs);
  const { path, lock } = await withRuntimeLock(parent, async () => {
    await sweepLocked(parent);
    return await makeLocked(parent, runAs);
  });
  const dispose = async () => {
    await removeTree(path);
    close(lock);
  };
  try {
    const files = await hostFiles(join(path, "shared"), options);
    let count = 0;
    const createSandboxDirectory = () => sandboxDirectory(join(path, (count++).toString(36)), runAs);
    return Object.freeze({ path, files, createSandboxDirectory, [Symbol.asyncDispose]: once(dispose) });
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function makeLocked(
  parent: string,
  runAs: Account | null,
): Promise<{ path: string; lock: Deno.FsFile }> {
  const path = join(parent, `h-${randomName()}`);
  await Deno.mkdir(path, { mode: 0o700 });
  if (runAs !== null) await Deno.chmod(path, 0o711);
  const lock = await openLock(join(path, "lock"));
  await lock.lock(true);
  return { path, lock };
}

function randomName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return [...bytes].map((byte) => (byte % 36).toString(36)).join("");
}

function close(lock: Deno.FsFile): void {
  lock.close();
}

function once(action: () => Promise<void>): () => Promise<void> {
  let done: Promise<void> | undefined;
  return () => done ??= action();
}
