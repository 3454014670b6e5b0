/**
 * Fetches the runtime for aarch64, with which tests/ffi/aarch64_test.ts runs the library of that processor under an
 * emulator.
 *
 * @module
 */

import { say } from "./say.ts";

const PACKAGE = "@deno/linux-arm64-glibc";
const DIRECTORY = new URL("../dist/aarch64/", import.meta.url).pathname;

/** Where the runtime lies once it was fetched. */
export const AARCH64_RUNTIME = `${DIRECTORY}package/deno`;

async function run(program: string, args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(program, { args: [...args], cwd: DIRECTORY })
    .output();
  if (code !== 0) throw new Error(`Cannot run ${program}: ${new TextDecoder().decode(stderr)}`);
  return new TextDecoder().decode(stdout).trim();
}

if (import.meta.main) {
  await Deno.mkdir(DIRECTORY, { recursive: true });
  const archive = (await run("npm", ["pack", "--silent", PACKAGE])).split("\n").at(-1) ?? "";
  await run("tar", ["-xzf", archive]);
  await Deno.remove(DIRECTORY + archive);
  say(`${AARCH64_RUNTIME} (${archive})`);
}
