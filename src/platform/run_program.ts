/**
 * Runs a short-lived helper program of the system, with an empty environment unless it needs one.
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
  /** What it reads on standard input. @default nothing */
  readonly input?: Uint8Array;
  /** Its complete environment. @default empty */
  readonly environment?: Readonly<Record<string, string>>;
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
  const { account, environment, input, signal } = options;
  try {
    const command = new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      ...(environment === undefined ? {} : { env: { ...environment } }),
      cwd: "/",
      stdin: input === undefined ? "null" : "piped",
      stdout: "piped",
      stderr: "piped",
      ...(account === undefined ? {} : account),
      ...(signal === undefined ? {} : { signal }),
    });
    const { code, stdout, stderr } = await finished(command, input);
    const decoder = new TextDecoder();
    return { exitCode: code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
  } catch (error) {
    if (isAbsent(error) || isRefusedSpawn(error)) return null;
    throw error;
  }
}

async function finished(command: Deno.Command, input: Uint8Array | undefined): Promise<Deno.CommandOutput> {
  if (input === undefined) return await command.output();
  const child = command.spawn();
  const output = child.output();
  await written(child.stdin, input);
  return await output;
}

/** A program that ends without having read everything says why itself. */
async function written(stdin: WritableStream<Uint8Array>, input: Uint8Array): Promise<void> {
  const writer = stdin.getWriter();
  try {
    await writer.write(input);
    await writer.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}

/** Deno has no class for a start that the kernel refuses, as with an account that is not mapped (EINVAL). */
function isRefusedSpawn(error: unknown): boolean {
  return error instanceof TypeError && error.message.startsWith("Failed to spawn");
}
