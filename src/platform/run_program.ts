/**
 * Runs a short-lived helper program of the system with an empty environment.
 *
 * @module
 */

import { isAbsent } from "./read_fact.ts";

/** How a helper program ended. */
export interface ProgramOutput {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How to run it. */
export interface RunProgramOptions {
  /** Account to run under; the host's own when absent. */
  readonly account?: { readonly uid: number; readonly gid: number } | undefined;
  /** Kills the program when it aborts. */
  readonly signal?: AbortSignal;
}

/**
 * Run a program to its end.
 *
 * @param path Absolute path of the program.
 * @param args Its arguments.
 * @param options Account and signal.
 * @returns Exit code and output, or null where the program cannot be started at all.
 */
export async function runProgram(
  path: string,
  args: readonly string[],
  options: RunProgramOptions = {},
): Promise<ProgramOutput | null> {
  const { account, signal } = options;
  try {
    const command = new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      cwd: "/",
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...(account === undefined ? {} : account),
      ...(signal === undefined ? {} : { signal }),
    });
    const { code, stdout, stderr } = await command.output();
    const decoder = new TextDecoder();
    return { exitCode: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (isAbsent(error) || isRefusedSpawn(error)) return null;
    throw error;
  }
}

/** Deno has no class for a start that the kernel refuses, as with an account that is not mapped (EINVAL). */
function isRefusedSpawn(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("Failed to spawn");
}
