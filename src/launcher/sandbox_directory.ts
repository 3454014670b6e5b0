/**
 * The private directory of one sandbox.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import type { SandboxDirectory } from "./types.ts";
import { dirname, join, resolve } from "node:path";
import { removeTree } from "./sweep_stale.ts";

/**
 * Make a sandbox's directory.
 *
 * @param path Absolute path that does not exist yet; its parent does.
 * @param runAs Account that shall be able to read it, or null for our own.
 * @returns The directory, with its subdirectories made.
 */
export async function sandboxDirectory(path: string, runAs: Account | null): Promise<SandboxDirectory> {
  const plugin = join(path, "p");
  const run = join(path, "r");
  for (const directory of [path, plugin, run]) await makeDirectory(directory, runAs);
  return Object.freeze({
    path,
    plugin,
    run,
    socket: join(run, "rpc.sock"),
    boot: join(run, "boot.json"),
    write: (file: string, content: string | Uint8Array) => write(path, file, content, runAs),
    remove: () => removeTree(path),
  });
}

/** The account reads through its group: it owns nothing here, so it cannot put a link where the host will write. */
async function makeDirectory(path: string, runAs: Account | null): Promise<void> {
  await Deno.mkdir(path, { mode: 0o700 });
  if (runAs === null) return;
  await Deno.chown(path, Deno.uid(), runAs.gid);
  await Deno.chmod(path, 0o750);
}

async function write(
  root: string,
  file: string,
  content: string | Uint8Array,
  runAs: Account | null,
): Promise<void> {
  if (resolve(file) !== file || !file.startsWith(`${root}/`)) {
    throw new RangeError(`Cannot write "${file}" as it is not below "${root}"`);
  }
  await makeParents(dirname(file), runAs);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  await Deno.writeFile(file, bytes, { mode: 0o600 });
  if (runAs === null) return;
  await Deno.chown(file, Deno.uid(), runAs.gid);
  await Deno.chmod(file, 0o640);
}

/** Directories are made one by one so that each gets its group. */
async function makeParents(path: string, runAs: Account | null): Promise<void> {
  try {
    await makeDirectory(path, runAs);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    await makeParents(dirname(path), runAs);
    await makeDirectory(path, runAs);
  }
}
