/**
 * What the hostile plugin of the demo is after: real things of the host, watched.
 *
 * @module
 */

import type { NarrowTargets, Targets } from "../hostile.ts";

const SECRET = `export default "the host's secret";\n`;

/** A secret file, a listening port and a variable. Disposing removes them. */
export class Bystander implements AsyncDisposable {
  readonly targets: Targets;
  /** A directory that may be granted. In it lies a link to a file that everybody may read, but not from a sandbox. */
  readonly granted: string;
  readonly narrowTargets: NarrowTargets;
  readonly #directory: string;
  readonly #listener: Deno.TcpListener;
  #visitors = 0;

  private constructor(directory: string, listener: Deno.TcpListener) {
    this.#directory = directory;
    this.#listener = listener;
    this.granted = `${directory}/granted`;
    this.narrowTargets = { link: `${this.granted}/link`, hostname: Deno.hostname() };
    this.targets = { file: `${directory}/secret.mjs`, port: listener.addr.port, variable: "DEMO_SECRET" };
  }

  static async create(): Promise<Bystander> {
    const directory = await Deno.makeTempDir({ prefix: "cordon-demo-" });
    const bystander = new Bystander(directory, Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    await Deno.writeTextFile(bystander.targets.file, SECRET);
    await Deno.mkdir(bystander.granted);
    await Deno.symlink("/etc/passwd", bystander.narrowTargets.link);
    // A sandbox of root runs under another account, which has to be able to look in.
    for (const path of [directory, bystander.granted]) await Deno.chmod(path, 0o755);
    Deno.env.set(bystander.targets.variable, "s3cret");
    void bystander.#countVisitors();
    return bystander;
  }

  /** What an attack has left behind; empty if nothing. */
  async damage(): Promise<string[]> {
    const damage: string[] = [];
    if (await Deno.readTextFile(this.targets.file) !== SECRET) damage.push("the secret was changed");
    const names = (await Array.fromAsync(Deno.readDir(this.#directory))).map(({ name }) => name);
    const left = names.filter((name) => name.endsWith(".left"));
    if (left.length > 0) damage.push(`files were left: ${left.join(", ")}`);
    if (this.#visitors > 0) damage.push(`${this.#visitors} connections were made`);
    return damage;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#listener.close();
    Deno.env.delete(this.targets.variable);
    await Deno.remove(this.#directory, { recursive: true });
  }

  async #countVisitors(): Promise<void> {
    for await (const connection of this.#listener) {
      this.#visitors++;
      connection.close();
    }
  }
}
