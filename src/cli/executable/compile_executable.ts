/**
 * Turns a host's program into one executable that needs no Deno where it runs.
 *
 * @module
 */

import { SandboxUnavailableError } from "../../errors.ts";
import { bundlerProgram } from "../../supervisor/bundler_program.ts";
import { bundleProgram } from "./bundle_program.ts";
import { launcherBinary } from "./launcher_binary.ts";
import { writeExecutable } from "./write_executable.ts";

/** What to compile. */
export interface CompileRequest {
  /** Absolute path of the program's entry module. */
  readonly entry: string;
  /** Absolute path of the executable. */
  readonly output: string;
  /** Configuration file instead of the one beside the program. */
  readonly config?: string | undefined;
  /** As for `bundleProgram()`. @default false */
  readonly isSplit?: boolean | undefined;
}

/** A host needs every permission: it starts programs, calls native code and reads what it grants. */
const ARGUMENTS: readonly string[] = ["run", "--allow-all", "--no-config", "--no-lock"];

/**
 * Compile a host's program.
 *
 * @param request Entry module and output.
 * @returns Size of the executable in bytes.
 * @throws {SandboxUnavailableError} If there is no launcher for this machine.
 * @throws {BundleError} If the program cannot be bundled, or the bundler cannot be found.
 */
export async function compileExecutable({ entry, output, config, isSplit }: CompileRequest): Promise<number> {
  const launcher = Deno.build.os === "linux" ? launcherBinary(Deno.build.arch) : null;
  if (launcher === null) {
    throw new SandboxUnavailableError(
      `Cannot compile for "${Deno.build.os}" on "${Deno.build.arch}": executables are made for Linux on x86-64 and aarch64`,
      { findings: [], hint: "Compile on such a machine" },
    );
  }
  const deno = Deno.execPath();
  const [program, bundler] = await Promise.all([
    bundleProgram(entry, { deno, config, isSplit }),
    bundlerProgram(),
  ]);
  return await writeExecutable(output, {
    launcher,
    args: ARGUMENTS,
    parts: [
      ...program,
      { name: "bundler", role: "bundler", mode: 0o555, source: bundler },
      { name: "deno", role: "runtime", mode: 0o555, source: deno },
    ],
  });
}
