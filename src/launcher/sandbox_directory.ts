/**
 * The private directory of one sandbox. Its few small files are written at once: each turn of the event loop would delay
 * the start more than they do.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import type { SandboxDirectory } from "./types.ts";
import { dirname, join, resolve } from "node:path";
import { runSockets } from "./run_sockets.ts";
import { removeTree } from "./sweep_stale.ts";

/**
 * Make a sandbox's directory.
 *
 * @param path Absolute path that does not exist yet; its parent does.
 * @param runAs Account that shall be able to read it, or null for our own.
 * @returns The directory, with its subdirectories made.
 */
export function sandboxDirectory(path: string, runAs: Account | null): SandboxDirectory {
  const plugin = join(path, "p");
  const run = join(path, "r");
  for (const directory of [path, plugin, run]) makeDirectory(directory, runAs);
  return Object.freeze({
    path,
    plugin,
    run,
    socket: runSockets(run).socket,
    boot: join(run, "boot.json"),
    write: (file: string, content: string | Uint8Array) => write(path, file, content, runAs),
    remove: () => removeTree(path),
  });
}

/** The account reads through its group: it owns nothing here, so it cannot put a link where the host will write. */
function makeDirectory(path: string, runAs: Account | null): void {
  Deno.mkdirSync(path, { mode: 0o700 });
  if (runAs === null) return;
  Deno.chownSync(path, Deno.uid(), runAs.gid);
  Deno.chmodSync(path, 0o750);
}

function write(
  root: string,
  file: string,
  content: string | Uint8Array,
  runAs: Account | null,
): void {
  if (resolve(file) !== file || !file.startsWith(`${root}/`)) {
    throw new RangeError(`Cannot write "${file}" as it is not below "${root}"`);
  }
  makeParents(dirname(file), runAs);
  const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
  Deno.writeFileSync(file, bytes, { mode: 0o600 });
  if (runAs === null) return;
  Deno.chownSync(file, Deno.uid(), runAs.gid);
  Deno.chmodSync(file, 0o640);
}

/** Directories are made one by one so that each gets its group. */
function makeParents(path: string, runAs: Account | null): void {
  try {
    makeDirectory(path, runAs);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return;
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    makeParents(dirname(path), runAs);
    makeDirectory(path, runAs);
  }
}
