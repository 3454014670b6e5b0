/**
 * Installs what Cordon needs from the system, then runs a script if one is named:
 * `deno run -A tools/setup.ts [script [arguments…]]`.
 *
 * @module
 */

import { probeBwrap } from "../src/platform/bwrap.ts";
import { installCommands } from "../src/platform/install_commands.ts";
import { denoDirectoryVariables } from "./deno_directory.ts";
import { type PackageManager, systemPackageManager } from "./package_manager.ts";
import { say } from "./say.ts";

/** Exit code for "something that is needed is not available", as in sysexits.h. */
const EX_UNAVAILABLE = 69;

/** What only Cordon's own tests use: tests of what is missing are skipped, and say so. */
const TEST_NEEDS: readonly TestNeed[] = [
  { packages: ["gcc", "libc6-dev"], proof: ["gcc", "--version"], tests: "of the C library" },
  {
    packages: ["python3-msgpack"],
    proof: ["/usr/bin/python3", "-c", "import msgpack"],
    tests: "of the wire protocol with another implementation",
  },
];

/** Packages for some tests. */
interface TestNeed {
  readonly packages: readonly string[];
  /** A command that succeeds where they are installed. */
  readonly proof: readonly string[];
  /** Which tests, for people. */
  readonly tests: string;
}

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Install what is missing, then run the script.
 *
 * @param args Path of a script and its arguments, or nothing.
 * @returns Exit code.
 */
async function main(args: readonly string[]): Promise<number> {
  if (Deno.build.os === "linux" && !await ensureBwrap()) return EX_UNAVAILABLE;
  if (isContinuousIntegration()) {
    for (const need of TEST_NEEDS) await installForTests(need);
  }
  const [script, ...rest] = args;
  if (script === undefined) return 0;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...rest],
    env: await denoDirectoryVariables(),
  }).spawn();
  return (await child.status).code;
}

async function ensureBwrap(): Promise<boolean> {
  const before = await probeBwrap(null);
  if (before.finding.level === "ok") return true;
  const manager = systemPackageManager();
  const prefix = await rootPrefix();
  if (before.fact === null && manager !== null && prefix !== null) {
    say(`Installing bubblewrap with ${manager.program} …`);
    const output = await install(manager, prefix, ["bubblewrap"]);
    const after = await probeBwrap(null);
    if (after.finding.level === "ok") return true;
    say(output.trimEnd());
    return explain(after.finding.summary, after.finding.fix ?? []);
  }
  return explain(before.finding.summary, before.finding.fix ?? installCommands("bubblewrap"));
}

function explain(summary: string, fix: readonly string[]): false {
  say(`Cordon needs bubblewrap to confine plugins: ${summary}.`);
  say("Install it with the line for your distribution, then try again:");
  for (const line of fix) say(`  ${line}`);
  return false;
}

/** @returns What to put before a command so that it runs as root, or null where that needs a password. */
async function rootPrefix(): Promise<readonly string[] | null> {
  if (Deno.uid() === 0) return [];
  const sudo = await run(["sudo", "-n", "true"]);
  return sudo?.isSuccess === true ? ["sudo", "-n"] : null;
}

/** Package lists are often absent in containers: fetch them only when the first try fails. */
async function install(
  manager: PackageManager,
  prefix: readonly string[],
  packages: readonly string[],
): Promise<string> {
  const command = [...prefix, manager.program, ...manager.install, ...packages];
  const first = await run(command);
  if (first?.isSuccess === true) return first.output;
  const refreshed = await run([...prefix, manager.program, ...manager.refresh]);
  const second = await run(command);
  return [first, refreshed, second].map((result) => result?.output ?? "").join("\n");
}

async function installForTests({ packages, proof, tests }: TestNeed): Promise<void> {
  const manager = systemPackageManager();
  if (Deno.uid() !== 0 || manager?.program !== "apt-get" || await succeeds(proof)) return;
  say(`Installing ${packages.join(", ")} for the tests ${tests} …`);
  await install(manager, [], packages);
  if (!await succeeds(proof)) say(`That failed: the tests ${tests} will be skipped`);
}

async function succeeds(command: readonly string[]): Promise<boolean> {
  return (await run(command))?.isSuccess === true;
}

interface Result {
  readonly isSuccess: boolean;
  readonly output: string;
}

/** @returns How the command ended, or null where there is no such program. */
async function run([program = "", ...args]: readonly string[]): Promise<Result | null> {
  try {
    const { success, stdout, stderr } = await new Deno.Command(program, {
      args,
      stdin: "null",
      env: { DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C" },
    }).output();
    const decoder = new TextDecoder();
    return { isSuccess: success, output: decoder.decode(stdout) + decoder.decode(stderr) };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

function isContinuousIntegration(): boolean {
  return ["1", "true"].includes(Deno.env.get("CI") ?? "");
}
