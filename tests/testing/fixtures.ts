/** Plugins written on the fly, and hosts that leave nothing behind. */

import type { HostOptions } from "../../src/config/types.ts";
import { createHost } from "../../src/supervisor/host.ts";
import type { Host } from "../../src/supervisor/types.ts";

/** A folder with files; disposing removes it. */
export interface Folder extends AsyncDisposable {
  readonly path: string;
}

/** Write files into a new folder that everybody may read. */
export async function folderWith(files: Readonly<Record<string, string>>): Promise<Folder> {
  const path = await Deno.makeTempDir({ prefix: "cordon-test-" });
  await Deno.chmod(path, 0o755);
  for (const [name, text] of Object.entries(files)) {
    await Deno.mkdir(`${path}/${name}`.replace(/\/[^/]*$/, ""), { recursive: true });
    await Deno.writeTextFile(`${path}/${name}`, text);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

/** A host with directories of its own. */
export interface TestHost extends AsyncDisposable {
  readonly host: Host;
  /** Where the host keeps sockets. */
  readonly runtimeDirectory: string;
  /** Write `code` as a module and give its path. */
  plugin(code: string, name?: string): Promise<string>;
}

/** Make a host whose cache is shared by all tests and whose runtime directory is its own. Plugins print nowhere. */
export async function testHost(options: HostOptions = {}): Promise<TestHost> {
  await using cleanup = new AsyncDisposableStack();
  const folder = cleanup.use(await folderWith({}));
  const runtimeDirectory = `${folder.path}/run`;
  const host = cleanup.use(await createHost({ runtimeDirectory, output: "ignore", ...options }));
  const resources = cleanup.move();
  let count = 0;
  return {
    host,
    runtimeDirectory,
    async plugin(code, name = `plugin${++count}.ts`) {
      const path = `${folder.path}/${name}`;
      await Deno.writeTextFile(path, code);
      return path;
    },
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** Names in a directory, sorted; empty when it does not exist. */
export async function namesIn(directory: string): Promise<string[]> {
  try {
    return (await Array.fromAsync(Deno.readDir(directory), (entry) => entry.name)).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}
