/**
 * Bundles a host's program with all its dependencies into one module.
 *
 * @module
 */

import { BundleError } from "../../errors.ts";

/**
 * A bundle is an ECMAScript module, in which CommonJS packages such as the bundler of plugins find neither `require` nor
 * their file's name. All that they may still require is built in.
 */
const PRELUDE =
  'var require=(name)=>process.getBuiltinModule(name),__dirname="/cordon/lib",__filename="/cordon/lib/main.js";\n';

/** How to bundle. */
export interface BundleProgramOptions {
  /** Path of the Deno executable that bundles. */
  readonly deno: string;
  /** Configuration file instead of the one beside the program. */
  readonly config?: string | undefined;
}

/**
 * Bundle a program.
 *
 * @param entry Absolute path of its entry module.
 * @param options Which runtime bundles it.
 * @returns The module's text.
 * @throws {BundleError} If it cannot be resolved, parsed or bundled.
 */
export async function bundleProgram(
  entry: string,
  { deno, config }: BundleProgramOptions,
): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-compile-" });
  try {
    const file = `${directory}/program.js`;
    const { code, stderr } = await new Deno.Command(deno, {
      args: [
        ...["bundle", "--quiet", "--platform", "deno", "--minify", "--keep-names"],
        ...(config === undefined ? [] : ["--config", config]),
        ...["--output", file, entry],
      ],
      cwd: entry.replace(/[^/]*$/, ""),
      env: { NO_COLOR: "1" },
      stdin: "null",
    }).output();
    if (code !== 0) {
      const reason = new TextDecoder().decode(stderr).trim();
      throw new BundleError(`Cannot compile "${entry}" as it cannot be bundled: ${reason}`);
    }
    return new TextEncoder().encode(PRELUDE + await Deno.readTextFile(file));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}
