/**
 * What the kernel says about a process, for hosts that may and that may not look into /proc themselves.
 *
 * Deno opens /proc only to programs that were started with --allow-all. Others ask cordon-exec, which is no more than
 * the permission to run programs, that every host has.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";

/** Which file stands at a path. */
export interface FileIdentity {
  readonly dev: number;
  readonly ino: number | null;
}

/**
 * Read a file of /proc.
 *
 * @param path Absolute path.
 * @param helper Path of cordon-exec, or null when there is none.
 * @returns Its text.
 * @throws {Deno.errors.NotFound} If the process is gone.
 * @throws {SandboxUnavailableError} If there is no way to look.
 */
export function procText(path: string, helper: string | null): string {
  return orAsk(() => Deno.readTextFileSync(path), () => ask("--show", path, helper));
}

/**
 * Which file stands at a path below /proc; a link at its end is not followed.
 *
 * @param path Absolute path.
 * @param helper Path of cordon-exec, or null when there is none.
 * @returns Its identity, as `Deno.lstat()` tells it.
 * @throws {Deno.errors.NotFound} If nothing stands there.
 * @throws {SandboxUnavailableError} If there is no way to look.
 */
export function procIdentity(path: string, helper: string | null): FileIdentity {
  return orAsk(() => Deno.lstatSync(path), () => identity(ask("--identify", path, helper)));
}

/**
 * Whether this process may look into /proc itself.
 *
 * @returns The claim, found out by trying: Deno's permission query says yes where opening says no.
 */
export function maySeeProc(): boolean {
  return orAsk(() => Deno.lstatSync("/proc/self/stat").isFile, () => false);
}

function orAsk<T>(look: () => T, otherwise: () => T): T {
  try {
    return look();
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) return otherwise();
    throw error;
  }
}

function ask(option: "--show" | "--identify", path: string, helper: string | null): string {
  if (helper === null) throw blind(path, "there is no helper for this machine");
  const { code, stdout, stderr } = new Deno.Command(helper, {
    args: [`${option}=${path}`],
    clearEnv: true,
    cwd: "/",
    stdin: "null",
  }).outputSync();
  const decoder = new TextDecoder();
  if (code === 0) return decoder.decode(stdout);
  const said = decoder.decode(stderr).trim();
  if (/: (?:ENOENT|ESRCH)$/.test(said)) throw new Deno.errors.NotFound(said);
  throw blind(path, said);
}

/** As the C library packs major and minor into one number: makedev(3). */
function identity(text: string): FileIdentity {
  const [major = 0n, minor = 0n, ino = 0n] = text.trim().split(" ").map(BigInt);
  const low = (major & 0xfffn) << 8n | minor & 0xffn;
  const high = (major & ~0xfffn) << 32n | (minor & ~0xffn) << 12n;
  return { dev: Number(high | low), ino: Number(ino) };
}

function blind(path: string, state: string): SandboxUnavailableError {
  const summary = `"${path}" cannot be read: ${state}`;
  const fix = ["Run the host with --allow-all"];
  return new SandboxUnavailableError(`Cannot look at a sandbox from outside: ${summary}`, {
    findings: [{ id: "proc", level: "fail", summary, fix }],
    hint: fix[0],
  });
}
