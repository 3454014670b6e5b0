/** A plugin's files in a temporary directory, bundled and run by the tests. */

import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { bundlePlugin } from "../../src/bundle/bundle_plugin.ts";
import type { Bundle, BundleRequest } from "../../src/bundle/types.ts";

export class TestProject implements AsyncDisposable {
  /** Real path, so that it equals what the bundler reports. */
  readonly directory: string;
  readonly cacheDirectory: string;
  readonly #base: string;

  private constructor(base: string) {
    this.#base = base;
    this.directory = join(base, "project");
    this.cacheDirectory = join(base, "cache");
  }

  /** Writes the files; objects become JSON. Paths that begin with `../` lie outside of the project. */
  static async create(files: Readonly<Record<string, string | Uint8Array | object>>): Promise<TestProject> {
    const project = new TestProject(
      await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-bundle-" })),
    );
    await Deno.mkdir(project.directory);
    for (const [name, contents] of Object.entries(files)) await project.write(name, contents);
    return project;
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  async write(name: string, contents: string | Uint8Array | object): Promise<void> {
    await Deno.mkdir(dirname(this.path(name)), { recursive: true });
    const isPlain = typeof contents === "string" || contents instanceof Uint8Array;
    const bytes = isPlain ? contents : JSON.stringify(contents);
    await Deno.writeFile(
      this.path(name),
      typeof bytes === "string" ? new TextEncoder().encode(bytes) : bytes,
    );
  }

  request(entry: string, options: Partial<BundleRequest> = {}): BundleRequest {
    const url = pathToFileURL(this.path(entry)).href;
    return { entry: url, cacheDirectory: this.cacheDirectory, deno: Deno.execPath(), ...options };
  }

  async bundle(entry: string, options: Partial<BundleRequest> = {}): Promise<Bundle> {
    return await bundlePlugin(this.request(entry, options));
  }

  /** Runs a bundle as the sandbox would: no configuration, no cache, no network, only its own directory to read. */
  async run(bundle: Bundle): Promise<string> {
    const directory = await Deno.makeTempDir({ dir: this.#base });
    for (const [name, bytes] of bundle.files) await Deno.writeFile(join(directory, name), bytes);
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        "run",
        "--no-config",
        "--no-lock",
        "--no-remote",
        "--no-npm",
        `--allow-read=${directory}`,
        "main.js",
      ],
      cwd: directory,
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    if (code !== 0) throw new Error(new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout).trimEnd();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.#base, { recursive: true });
  }
}
