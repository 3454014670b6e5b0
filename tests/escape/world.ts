/**
 * The host that a plugin must not reach: a secret, a process, services, a leaked variable. And the probe that tries.
 *
 * @module
 */

import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";

/** Account under which a root host starts sandboxes, and under which the world's process runs. */
export const ACCOUNT = { uid: 65534, gid: 65534 } as const;
/** Set in every host process of the suite. */
export const CANARY = { CORDON_ESCAPE_CANARY: "leaked" } as const;

/** Whether the suite runs as root. */
export const isRoot: boolean = Deno.build.os === "linux" && Deno.uid() === 0;

/** Everything that attacks aim at. Disposing ends it. */
export class World implements AsyncDisposable {
  readonly directory: string;
  /** The compiled probe. */
  readonly probe: string;
  /** A file that only the host should read; the account may read it. */
  readonly secret: string;
  /** A listening Unix socket, and the name of an abstract one. */
  readonly socket: string;
  /** A listening port of the host's loopback. */
  readonly port: number;
  readonly #victim: ChildProcess;

  private constructor(directory: string, port: number, victim: ChildProcess) {
    this.directory = directory;
    this.probe = `${directory}/probe`;
    this.secret = `${directory}/secret`;
    this.socket = `${directory}/open/host.sock`;
    this.port = port;
    this.#victim = victim;
  }

  /** Pid of a process of the host, under the sandboxes' account. */
  get victim(): number {
    return this.#victim.pid!;
  }

  static async open(): Promise<World> {
    const directory = await Deno.makeTempDir({ prefix: "cordon-escape-" });
    await Deno.chmod(directory, 0o755);
    await compileProbe(`${directory}/probe`);
    await Deno.writeTextFile(`${directory}/secret`, "secret of the host", { mode: 0o644 });
    await Deno.writeTextFile(`${directory}/secret.js`, "export default 1", { mode: 0o666 });
    await Deno.chmod(`${directory}/secret.js`, 0o666);
    await Deno.writeTextFile(`${directory}/secret.json`, "1", { mode: 0o644 });
    await Deno.mkdir(`${directory}/open`);
    await Deno.chmod(`${directory}/open`, 0o777);
    if (isRoot) await Deno.chown(directory, ACCOUNT.uid, ACCOUNT.gid);
    await Deno.writeTextFile(`${directory}/open/code`, "code");
    await Deno.symlink(`${directory}/secret`, `${directory}/open/link`);
    if (isRoot) await Deno.chown(`${directory}/open/code`, ACCOUNT.uid, ACCOUNT.gid);
    if (isRoot) await Deno.chown(`${directory}/secret.js`, ACCOUNT.uid, ACCOUNT.gid);
    const victim = spawn(`${directory}/probe`, ["--serve", `${directory}/open/host.sock`], {
      stdio: ["pipe", "pipe", "inherit"],
      env: CANARY,
      cwd: "/",
      ...(isRoot ? ACCOUNT : {}),
    });
    const [port] = await once(victim.stdout!, "data") as [Uint8Array];
    return new World(directory, Number(new TextDecoder().decode(port)), victim);
  }

  /** Arguments of the probe for a place where the plugin's directory is `plugin`. */
  probeArguments(
    mode: "fork" | "direct",
    filter: string,
    plugin: string,
    names: readonly string[] = [],
  ): string[] {
    const targets = [this.secret, String(this.victim), String(this.port), this.socket];
    return ["--probe", mode, filter, ...targets, plugin, ...names];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const exit = once(this.#victim, "close");
    this.#victim.stdin!.end();
    this.#victim.kill("SIGKILL");
    await exit;
    await Deno.remove(this.directory, { recursive: true });
  }
}

/** What is missing for the suite on this machine, or null. */
export async function missingForProbe(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "not Linux";
  try {
    const { code } = await new Deno.Command("gcc", { args: ["--version"], stdout: "null" }).output();
    return code === 0 ? null : "gcc does not work";
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "no gcc";
    throw error;
  }
}

async function compileProbe(output: string): Promise<void> {
  const { code, stderr } = await new Deno.Command("gcc", {
    args: ["-std=c11", "-O1", "-Wall", "-Wextra", "-Wshadow", "-Werror", "-static", "-o", output, "probe.c"],
    cwd: new URL(".", import.meta.url),
  }).output();
  if (code !== 0) throw new Error(`Cannot compile the probe: ${new TextDecoder().decode(stderr)}`);
  await Deno.chmod(output, 0o755);
}
