/**
 * A directory that tests grant.
 *
 * @module
 */

import { join } from "node:path";

/** Holds `in`, which every account can read, and `out`, which every account can write. */
export class GrantedDirectory implements AsyncDisposable {
  private constructor(readonly path: string) {}

  static async make(): Promise<GrantedDirectory> {
    const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-data-" }));
    await Deno.chmod(path, 0o755);
    for (const [name, mode] of [["in", 0o755], ["out", 0o777]] as const) {
      await Deno.mkdir(join(path, name));
      await Deno.chmod(join(path, name), mode);
    }
    return new GrantedDirectory(path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}
