/**
 * The files that all sandboxes of a host share.
 *
 * @module
 */

import type { Account } from "../policy/types.ts";
import type { HostDirectoryOptions } from "./host_directory.ts";
import type { HostFiles } from "./types.ts";
import { ConfigError } from "../errors.ts";
import { accessObstacle } from "../policy/account_access.ts";
import { join } from "node:path";
import { cordonExecBinary } from "./exec/mod.ts";

/** Any will do: only statistics of locks, which nobody asks for, are computed from it. */
const CLOCK_KHZ = "1000000\n";

/**
 * Write or copy them into a directory where the sandboxes' account can reach and nobody but the host can change them.
 *
 * @param directory Absolute path that does not exist yet.
 * @param options Where they come from.
 * @returns Their paths.
 * @throws {ConfigError} If nothing can be executed there.
 */
export async function hostFiles(directory: string, options: HostDirectoryOptions): Promise<HostFiles> {
  await Deno.mkdir(directory, { mode: 0o700 });
  await Deno.chmod(directory, 0o755);
  const guest = join(directory, "guest.js");
  await install(guest, new TextEncoder().encode(options.guestScript), 0o444);
  const library = options.nativeLibrary === null ? null : join(directory, "libcordon.so");
  if (library !== null) await install(library, await Deno.readFile(options.nativeLibrary!), 0o555);
  const helper = Deno.build.os === "linux" ? cordonExecBinary(Deno.build.arch) : null;
  const exec = helper === null ? null : join(directory, "cordon-exec");
  if (helper !== null) {
    await install(join(directory, "cordon-exec"), helper, 0o555);
    await demandExecutable(join(directory, "cordon-exec"), options.runtimeDirectory);
  }
  const clock = join(directory, "clock");
  if (hasClockFile()) await install(clock, new TextEncoder().encode(CLOCK_KHZ), 0o444);
  const deno = await reachableDeno(directory, options.deno.path, options.runAs);
  return Object.freeze({ deno, guest, library, exec, ...(hasClockFile() ? { clock } : {}) });
}

/** On other processors the clock's frequency is a register. */
function hasClockFile(): boolean {
  return Deno.build.os === "linux" && Deno.build.arch === "x86_64";
}

/** The mode is set afterwards, so that the host's umask does not matter. */
async function install(path: string, content: Uint8Array, mode: number): Promise<void> {
  await Deno.writeFile(path, content, { createNew: true, mode: 0o600 });
  await Deno.chmod(path, mode);
}

/** A file system may be mounted "noexec", and a binary may be built for another machine: only trying tells. */
async function demandExecutable(helper: string, runtimeDirectory: string): Promise<void> {
  try {
    await new Deno.Command(helper, {
      args: [],
      clearEnv: true,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).output();
  } catch (cause) {
    throw new ConfigError(
      `Cannot use "${runtimeDirectory}" as the runtime directory: nothing in it can be executed`,
      {
        path: "runtimeDirectory",
        hint: 'Name a directory on a file system that is not mounted "noexec"',
        cause,
      },
    );
  }
}

/**
 * A runtime below root's home is out of the account's reach, and bubblewrap resolves even pinned descriptors by path.
 * A second name for the same file costs nothing; where that is impossible it is copied.
 */
async function reachableDeno(directory: string, source: string, runAs: Account | null): Promise<string> {
  if (runAs === null || await accessObstacle(source, runAs, "execute") === null) return source;
  const path = join(directory, "deno");
  const isExecutable = (((await Deno.stat(source)).mode ?? 0) & 0o005) === 0o005;
  if (isExecutable && await isLinked(source, path)) return path;
  await Deno.copyFile(source, path);
  await Deno.chmod(path, 0o555);
  return path;
}

async function isLinked(source: string, path: string): Promise<boolean> {
  try {
    await Deno.link(source, path);
    return true;
  } catch (error) {
    // Another file system, or a kernel that protects links: a copy does the same for more.
    if (error instanceof Error && "code" in error && (error.code === "EXDEV" || error.code === "EPERM")) {
      return false;
    }
    throw error;
  }
}
