/**
 * What the hostile plugin of the demo is after: real things of the host, watched.
 *
 * @module
 */

import type { Targets } from "../hostile.ts";

const SECRET = `export default "the host's secret";\n`;

/** A secret file, a listening port and a variable. Disposing removes them. */
export class Bystander implements AsyncDisposable {
  readonly targets: Targets;
  readonly #directory: string;
  readonly #listener: Deno.TcpListener;
  #visitors = 0;

  private constructor(directory: string, listener: Deno.TcpListener) {
    this.#directory = directory;
    this.#listener = listener;
    this.targets = { file: `${directory}/secret.mjs`, port: listener.addr.port, variable: "DEMO_SECRET" };
  }

  static async create(): Promise<Bystander> {
    const directory = await Deno.makeTempDir({ prefix: "cordon-demo-" });
    const bystander = new Bystander(directory, Deno.listen({ hostname: "127.0.0.1", port: 0 }));
    await Deno.writeTextFile(bystander.targets.file, SECRET);
    Deno.env.set(bystander.targets.variable, "s3cret");
    void bystander.#countVisitors();
    return bystander;
  }

  /** What an attack has left behind; empty if nothing. */
  async damage(): Promise<string[]> {
    const damage: string[] = [];
    if (await Deno.readTextFile(this.targets.file) !== SECRET) damage.push("the secret was changed");
    const names = (await Array.fromAsync(Deno.readDir(this.#directory))).map(({ name }) => name);
    if (names.length > 1) damage.push(`files were left: ${names.join(", ")}`);
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
