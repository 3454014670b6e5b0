/**
 * Compiles the C of ffi/ for every processor, so that the same sources give the same bytes on every machine.
 *
 * @module
 */

import { say } from "./say.ts";

const ROOT = new URL("../", import.meta.url);

/** What every C file of the project is compiled with. */
export const WARNINGS: readonly string[] = [
  "-std=c11",
  "-Wall",
  "-Wextra",
  "-Werror",
  "-Wshadow",
  "-Wstrict-prototypes",
  "-Wmissing-prototypes",
  "-Wpointer-arith",
  "-Wformat=2",
];

/** What makes a static program that needs nothing of its machine but the kernel. */
export const STATIC_PROGRAM: readonly string[] = [
  // Neither a C library nor anything that the compiler would want from one.
  ...["-ffreestanding", "-fno-builtin", "-fno-stack-protector", "-fno-tree-loop-distribute-patterns"],
  ...["-fno-asynchronous-unwind-tables", "-fno-unwind-tables", "-fno-pic", "-no-pie"],
  ...["-nostdlib", "-static", "-s"],
  // Nothing of the machine that compiled it may be in the result.
  ...["-fno-ident", "-Wl,--build-id=none", "-Wl,-z,noexecstack", "-Wl,-z,noseparate-code"],
];

/** A processor that the package has compiled files for, and the compiler that makes them. */
export interface Target {
  /** As in `Deno.build.arch`. */
  readonly arch: "x86_64" | "aarch64";
  /** Name of the compiler. */
  readonly compiler: string;
}

/** Every processor that the package has compiled files for. */
export const TARGETS: readonly Target[] = [
  { arch: "x86_64", compiler: "x86_64-linux-gnu-gcc" },
  { arch: "aarch64", compiler: "aarch64-linux-gnu-gcc" },
];

/** A compiled file, for whom and by what. */
export interface Compiled {
  /** The processor that it is for. */
  readonly target: Target;
  /** What the compiler says it is. */
  readonly compiler: string;
  /** The file. */
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * What a compiler says it is.
 *
 * @param compiler Name of the compiler.
 * @returns First line of `--version`, or null when it is not installed.
 */
export async function compilerVersion(compiler: string): Promise<string | null> {
  try {
    const { code, stdout } = await new Deno.Command(compiler, { args: ["--version"] }).output();
    return code === 0 ? new TextDecoder().decode(stdout).split("\n")[0] ?? null : null;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

/**
 * Compile sources of ffi/ into one file.
 *
 * @param target Processor and compiler.
 * @param flags What the compiler is told besides {@link WARNINGS}.
 * @param sources The files, as they are called in ffi/.
 * @returns The file.
 * @throws {Error} If the compiler complains.
 */
export async function compiled(
  target: Target,
  flags: readonly string[],
  sources: readonly string[],
): Promise<Uint8Array<ArrayBuffer>> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-ffi-" });
  try {
    const output = `${directory}/output`;
    const { code, stderr } = await new Deno.Command(target.compiler, {
      args: [...WARNINGS, ...flags, "-o", output, ...sources],
      cwd: new URL("ffi/", ROOT),
    }).output();
    if (code !== 0) {
      throw new Error(`Cannot compile for "${target.arch}": ${new TextDecoder().decode(stderr)}`);
    }
    return await Deno.readFile(output);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/**
 * Compile for every processor, and tell of each.
 *
 * @param name What is compiled.
 * @param compile Makes the file for one processor.
 * @returns In the order of {@link TARGETS}.
 * @throws {Error} If a compiler is not installed or complains.
 */
export async function compiledForAll(
  name: string,
  compile: (target: Target) => Promise<Uint8Array<ArrayBuffer>>,
): Promise<readonly Compiled[]> {
  const all: Compiled[] = [];
  for (const target of TARGETS) {
    const compiler = await compilerVersion(target.compiler);
    if (compiler === null) throw new Error(`Cannot compile for "${target.arch}": no ${target.compiler}`);
    const bytes = await compile(target);
    all.push({ target, compiler, bytes });
    say(`${name} for ${target.arch}: ${bytes.length} bytes by ${compiler}`);
  }
  return all;
}

/**
 * A file as generated TypeScript carries it.
 *
 * @param bytes The file.
 * @returns Lines of base64 for a template literal.
 */
export function embedded(bytes: Uint8Array): string {
  return bytes.toBase64().replaceAll(/.{1,120}/g, "$&\n");
}

/**
 * Static programs as generated TypeScript carries them.
 *
 * @param programs One for each processor.
 * @returns The properties of an object literal, by architecture.
 */
export function embeddedPrograms(programs: readonly Compiled[]): string {
  return programs.map(({ target, compiler, bytes }) =>
    `  ${target.arch}: {
    compiler: ${JSON.stringify(compiler)},
    base64: \`
${embedded(bytes)}\`,
  },`
  ).join("\n");
}
