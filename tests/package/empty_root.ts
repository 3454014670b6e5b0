/** A root directory with nothing in it but what a C program needs, and bubblewrap. */

import { probePlatform } from "../../src/platform/mod.ts";
import type { Account } from "./account.ts";

/** How to start a program there. */
export interface EmptyRootOptions {
  /** Path inside → path outside, read-only. */
  readonly files: Readonly<Record<string, string>>;
  /** Whether /tmp exists and can be written to. */
  readonly hasTmp: boolean;
  /** Writable directory that keeps what was unpacked, for further starts. */
  readonly cache?: string | undefined;
  readonly account: Account;
}

/**
 * A command in an empty root: neither Deno nor Node.js, no shell, no home, no network.
 *
 * @param command Program and arguments inside.
 * @param options What is there.
 * @returns The command, with its output piped.
 */
export async function emptyRootCommand(
  command: readonly string[],
  { files, hasTmp, cache, account }: EmptyRootOptions,
): Promise<Deno.Command> {
  const { facts } = await probePlatform({ trial: false });
  const bwrap = facts.bwrap!.path;
  const bound = { ...await librariesOf([bwrap, Deno.execPath()]), "/usr/bin/bwrap": bwrap, ...files };
  // As root all rights are kept, so that the host inside can become another account for its sandboxes.
  const isRoot = Deno.uid() === 0 && account.uid === undefined;
  return new Deno.Command(bwrap, {
    args: [
      ...(isRoot ? ["--cap-add", "ALL"] : ["--unshare-user"]),
      "--clearenv",
      ...["--unshare-pid", "--unshare-net", "--die-with-parent", "--proc", "/proc", "--dev", "/dev"],
      ...(hasTmp ? ["--perms", "1777", "--tmpfs", "/tmp"] : []),
      ...directoriesOf(Object.keys(bound)).flatMap((path) => ["--perms", "0755", "--dir", path]),
      ...Object.entries(bound).flatMap(([inside, outside]) => ["--ro-bind", outside, inside]),
      ...(cache === undefined ? [] : ["--bind", cache, "/cache", "--setenv", "XDG_CACHE_HOME", "/cache"]),
      ...["--remount-ro", "/", "--chdir", "/", "--setenv", "PATH", "/usr/bin", "--"],
      ...command,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...account,
  });
}

/** The loader and the libraries of programs, as the loader names them. */
async function librariesOf(programs: readonly string[]): Promise<Record<string, string>> {
  const { stdout } = await new Deno.Command("ldd", { args: [...programs] }).output();
  const paths = [...new TextDecoder().decode(stdout).matchAll(/(?:^|\s)(\/\S+) \(0x/gm)].map((match) =>
    match[1]!
  );
  return Object.fromEntries(await Promise.all(paths.map(async (path) => [path, await Deno.realPath(path)])));
}

function directoriesOf(paths: readonly string[]): string[] {
  const all = paths.flatMap((path) => {
    const parts = path.split("/").slice(1, -1);
    return parts.map((_, index) => `/${parts.slice(0, index + 1).join("/")}`);
  });
  return [...new Set(all)].sort();
}
