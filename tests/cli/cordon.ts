/**
 * Starts the command line as a person does, for tests.
 *
 * @module
 */

import { blockingFindings, probePlatform } from "../../src/platform/mod.ts";

/** How it ended. */
export interface Ended {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

/**
 * Run the program to its end.
 *
 * @param args Its arguments.
 * @param env Variables besides those of the tests.
 * @param cwd Where to start it. @default the root of the repository
 * @returns Exit code and output.
 */
export async function cordon(
  args: readonly string[],
  env: Record<string, string> = {},
  cwd: string = ".",
): Promise<Ended> {
  const { code, stdout, stderr } = await cordonCommand(args, { env, cwd, stdin: "null" }).output();
  const decoder = new TextDecoder();
  return { code, out: decoder.decode(stdout), err: decoder.decode(stderr) };
}

/**
 * The program, not yet started.
 *
 * @param args Its arguments.
 * @param options More options of the command.
 * @returns The command, with its output piped.
 */
export function cordonCommand(args: readonly string[], options: Deno.CommandOptions = {}): Deno.Command {
  return new Deno.Command(Deno.execPath(), {
    stdout: "piped",
    stderr: "piped",
    ...options,
    args: ["run", "-A", "--no-check", new URL("../../src/cli/main.ts", import.meta.url).href, ...args],
  });
}

/**
 * Why no sandbox can be started on this machine, for the name of a test that needs one.
 *
 * @returns Such as `" [skipped: bubblewrap is not installed]"`; empty where sandboxes work.
 */
export async function sandboxSkip(): Promise<string> {
  const [finding] = blockingFindings(await probePlatform());
  return finding === undefined ? "" : ` [skipped: ${finding.summary}]`;
}

/**
 * Path of a script for these tests.
 *
 * @param name File name.
 * @returns Path from the root of the repository.
 */
export function fixture(name: string): string {
  return `tests/fixtures/cli/${name}`;
}
