/**
 * Finds the Deno executable for plugins, its loader and its libraries.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import { elfInterpreter } from "./elf_interpreter.ts";
import { ownRuntime, processRuntime } from "./own_runtime.ts";
import { loaderLibraries } from "./loader_libraries.ts";
import type { Probed } from "./probed.ts";
import { isAbsent } from "./read_fact.ts";
import { runProgram } from "./run_program.ts";
import type { DenoFacts } from "./types.ts";

const HEADER_BYTES = 65_536;

/**
 * Find the runtime that plugins will run on.
 *
 * @param path Absolute path that the user chose, or null for the runtime of this process.
 * @returns The facts, or null with a finding that says what is wrong.
 */
export async function probeDenoRuntime(path: string | null): Promise<Probed<DenoFacts | null>> {
  const process = processRuntime();
  const wanted = path ?? await ownRuntime(process);
  if (wanted === null) {
    return unusable(
      "this program was made by deno compile, which leaves no Deno for them, and there is none in PATH",
      process.execPath,
      [
        'Install Deno where the program runs, or name it: createHost({ deno: "/path/to/deno" })',
        "Or make the program with cordon compile, which carries the runtime along",
      ],
    );
  }
  try {
    const executable = await Deno.realPath(wanted);
    const own = wanted === process.execPath ? Deno.version.deno : null;
    if (Deno.build.os !== "linux") {
      const version = own ?? await denoVersion(executable);
      return usable({ path: executable, version, loader: "", loaderTarget: "", libraries: [] });
    }
    const loaderTarget = elfInterpreter(await readStart(executable));
    if (loaderTarget === null) {
      return unusable(`${executable} is not a dynamically linked 64-bit executable`, executable);
    }
    const loader = await Deno.realPath(loaderTarget);
    const [listing, version] = await Promise.all([
      runProgram(loader, ["--list", executable]),
      own ?? denoVersion(executable),
    ]);
    if (listing === null || listing.exitCode !== 0) {
      return unusable(
        "the libraries of Deno cannot be listed",
        `${loader} --list: ${listing?.stderr ?? "no start"}`,
      );
    }
    const libraries = await Promise.all(loaderLibraries(listing.stdout).map(resolved));
    return usable({ path: executable, version, loader, loaderTarget, libraries });
  } catch (error) {
    if (error instanceof RangeError) return unusable("a library of Deno is missing", error.message);
    if (!isAbsent(error) && !(error instanceof Deno.errors.IsADirectory)) throw error;
    const fix = path === null ? undefined : ["Name the executable of a Deno in the host's option `deno`"];
    return unusable(`the Deno runtime "${wanted}" cannot be read`, String(error), fix);
  }
}

async function resolved(target: string): Promise<{ readonly target: string; readonly source: string }> {
  return { target, source: await Deno.realPath(target) };
}

async function readStart(path: string): Promise<Uint8Array> {
  using file = await Deno.open(path);
  const bytes = new Uint8Array(HEADER_BYTES);
  let length = 0;
  while (length < bytes.length) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.subarray(0, length);
}

async function denoVersion(path: string): Promise<string> {
  const output = await runProgram(path, ["--version"]);
  return /^deno (\S+)/.exec(output?.stdout ?? "")?.[1] ?? "unknown";
}

function usable(fact: DenoFacts): Probed<DenoFacts> {
  const finding: Finding = {
    id: "deno",
    level: "ok",
    summary: fact.loader === ""
      ? `Deno ${fact.version} is there`
      : `Deno ${fact.version} needs its loader and ${fact.libraries.length} libraries`,
    evidence: [fact.path, fact.loaderTarget, ...fact.libraries.map(({ target }) => target)]
      .filter((path) => path !== "").join(", "),
  };
  return { fact, finding };
}

function unusable(
  summary: string,
  evidence: string,
  fix: readonly string[] = ["Install Deno for this system, for example: npm install -g deno"],
): Probed<null> {
  return {
    fact: null,
    finding: {
      id: "deno",
      level: "fail",
      summary: `Plugins have no Deno to run on: ${summary}`,
      evidence,
      fix,
    },
  };
}
