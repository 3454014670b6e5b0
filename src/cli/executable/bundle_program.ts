/**
 * Bundles a host's program with all its dependencies.
 *
 * @module
 */

import { BundleError } from "../../errors.ts";
import type { Part } from "./write_executable.ts";

/**
 * A bundle is an ECMAScript module, in which CommonJS packages such as the bundler of plugins find neither `require` nor
 * their file's name. All that they may still require is built in.
 */
const PRELUDE =
  'var require=(name)=>process.getBuiltinModule(name),__dirname="/cordon/lib",__filename="/cordon/lib/main.js";\n';

/** The launcher's bounds: ffi/launcher_payload.h. */
const MAX_MODULES = 100;
const MAX_NAME_BYTES = 55;

/** The program may hold secrets, and only its owner reads it. */
const MODE = 0o400;

/** How to bundle. */
export interface BundleProgramOptions {
  /** Path of the Deno executable that bundles. */
  readonly deno: string;
  /** Configuration file instead of the one beside the program. */
  readonly config?: string | undefined;
  /**
   * Keep modules apart that are imported dynamically, so that a start evaluates no more than it needs. CommonJS modules among
   * them lose their named exports then. @default false
   */
  readonly isSplit?: boolean | undefined;
}

/**
 * Bundle a program into one file, or into several besides that one, which a start from memory needs.
 *
 * @param entry Absolute path of its entry module.
 * @param options Which runtime bundles it.
 * @returns Parts of the executable.
 * @throws {BundleError} If it cannot be resolved, parsed or bundled.
 */
export async function bundleProgram(entry: string, options: BundleProgramOptions): Promise<readonly Part[]> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-compile-" });
  try {
    const whole = `${directory}/whole.js`, modules = `${directory}/modules`;
    // One after the other: two runtimes that unpack their bundler into an empty cache at once fail.
    await bundle(entry, options, ["--output", whole]);
    if (options.isSplit === true) await bundle(entry, options, ["--code-splitting", "--outdir", modules]);
    if (options.isSplit !== true) {
      return [{ name: "program.js", role: "program", mode: MODE, source: await moduleText(whole) }];
    }
    const names = (await Array.fromAsync(Deno.readDir(modules), ({ name }) => name)).sort();
    const first = entry.replace(/^.*\//, "").replace(/\.[^.]*$/, ".js");
    if (names.length > MAX_MODULES || names.some(isTooLong)) {
      throw new BundleError(`Cannot compile "${entry}" in several modules: it has ${names.length} of them`);
    }
    return [
      { name: "whole-program.js", role: "memory-program", mode: MODE, source: await moduleText(whole) },
      ...await Promise.all(names.map(async (name): Promise<Part> => {
        const source = await moduleText(`${modules}/${name}`);
        return { name, role: name === first ? "program" : "module", mode: MODE, source };
      })),
    ];
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

async function bundle(
  entry: string,
  { deno, config }: BundleProgramOptions,
  output: readonly string[],
): Promise<void> {
  const { code, stderr } = await new Deno.Command(deno, {
    args: [
      ...["bundle", "--quiet", "--platform", "deno", "--minify", "--keep-names"],
      ...(config === undefined ? [] : ["--config", config]),
      ...output,
      entry,
    ],
    cwd: entry.replace(/[^/]*$/, ""),
    env: { NO_COLOR: "1" },
    stdin: "null",
  }).output();
  if (code === 0) return;
  const reason = new TextDecoder().decode(stderr).trim();
  throw new BundleError(`Cannot compile "${entry}" as it cannot be bundled: ${reason}`);
}

async function moduleText(path: string): Promise<Uint8Array<ArrayBuffer>> {
  return new TextEncoder().encode(PRELUDE + await Deno.readTextFile(path));
}

function isTooLong(name: string): boolean {
  return new TextEncoder().encode(name).length > MAX_NAME_BYTES;
}
