/**
 * Finds bubblewrap in places that only the system can write, and asks it what it can do.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import { REQUIRED_BWRAP_OPTIONS } from "../util/bwrap_options.ts";
import { installCommands } from "./install_commands.ts";
import type { Probed } from "./probed.ts";
import { isAbsent } from "./read_fact.ts";
import { runProgram } from "./run_program.ts";
import type { BwrapFacts } from "./types.ts";

/** Where bubblewrap is looked up: never through `PATH`, which a plugin's author may control. */
const BWRAP_LOCATIONS: readonly string[] = [
  "/usr/bin/bwrap",
  "/bin/bwrap",
  "/usr/local/bin/bwrap",
  "/run/current-system/sw/bin/bwrap",
];

const SETUID = 0o4000;
const WRITABLE_BY_OTHERS = 0o022;

/**
 * Find bubblewrap and read its version and options.
 *
 * @param path Absolute path that the user chose, or null to look in the trusted places.
 * @returns The facts, or null with a finding that says what is missing.
 */
export async function probeBwrap(path: string | null): Promise<Probed<BwrapFacts | null>> {
  const candidates = path === null ? BWRAP_LOCATIONS : [path];
  const found = await firstExecutable(candidates);
  if (found === null) return { fact: null, finding: missing(candidates) };
  const distrust = await reasonToDistrust(found);
  if (distrust !== null) return { fact: null, finding: untrusted(found.path, distrust) };
  const [help, version] = await Promise.all([
    runProgram(found.path, ["--help"]),
    runProgram(found.path, ["--version"]),
  ]);
  if (help === null || version === null || help.exitCode !== 0) {
    return { fact: null, finding: broken(found.path, help?.stderr ?? "it cannot be executed") };
  }
  const fact: BwrapFacts = {
    path: found.path,
    version: bwrapVersion(version.stdout),
    options: bwrapOptions(help.stdout),
    isSetuid: ((found.info.mode ?? 0) & SETUID) !== 0,
  };
  return { fact, finding: judge(fact) };
}

/**
 * List the long options in bubblewrap's help text.
 *
 * @param help Output of `bwrap --help`.
 * @returns Names without dashes.
 */
export function bwrapOptions(help: string): ReadonlySet<string> {
  return new Set(Array.from(help.matchAll(/^\s+--([a-z0-9-]+)/gm), (match) => match[1] ?? ""));
}

/**
 * Read the version number out of `bwrap --version`.
 *
 * @param text Its output.
 * @returns Such as `"0.8.0"`, or `"unknown"`.
 */
export function bwrapVersion(text: string): string {
  return /(\d+(?:\.\d+)+)/.exec(text)?.[1] ?? "unknown";
}

interface Executable {
  readonly path: string;
  readonly info: Deno.FileInfo;
}

async function firstExecutable(candidates: readonly string[]): Promise<Executable | null> {
  for (const candidate of candidates) {
    try {
      const path = await Deno.realPath(candidate);
      const info = await Deno.stat(path);
      if (info.isFile && ((info.mode ?? 0) & 0o111) !== 0) return { path, info };
    } catch (error) {
      if (!isAbsent(error)) throw error;
    }
  }
  return null;
}

/** Whoever can replace this file can replace the sandbox. */
async function reasonToDistrust({ path, info }: Executable): Promise<string | null> {
  const directory = await Deno.stat(path.slice(0, path.lastIndexOf("/")) || "/");
  for (const [what, { uid, mode }] of [["the file", info], ["its directory", directory]] as const) {
    if (uid !== 0 && uid !== Deno.uid()) return `${what} belongs to uid ${uid}`;
    if (((mode ?? 0) & WRITABLE_BY_OTHERS) !== 0) return `${what} is writable by others`;
  }
  return null;
}

function judge(fact: BwrapFacts): Finding {
  const evidence = `${fact.path} ${fact.version}`;
  const lacking = REQUIRED_BWRAP_OPTIONS.filter((option) => !fact.options.has(option));
  if (lacking.length > 0) {
    return {
      id: "bwrap",
      level: "fail",
      summary: `bubblewrap ${fact.version} is too old: it has no --${lacking.join(", no --")}`,
      evidence,
      fix: [
        "Install bubblewrap 0.8.0 or newer from your distribution or its backports",
        ...installCommands("bubblewrap"),
      ],
    };
  }
  if (fact.isSetuid) {
    return {
      id: "bwrap",
      level: "fail",
      summary: "bubblewrap is installed setuid root, where it cannot switch off nested user namespaces",
      evidence,
      fix: [
        `sudo chmod u-s ${fact.path}`,
        "On Arch: sudo pacman -S bubblewrap, which replaces bubblewrap-suid",
      ],
    };
  }
  return { id: "bwrap", level: "ok", summary: `bubblewrap ${fact.version} is installed`, evidence };
}

function missing(candidates: readonly string[]): Finding {
  return {
    id: "bwrap",
    level: "fail",
    summary: "bubblewrap is not installed",
    evidence: `looked for ${candidates.join(", ")}`,
    fix: installCommands("bubblewrap"),
  };
}

function untrusted(path: string, reason: string): Finding {
  return {
    id: "bwrap",
    level: "fail",
    summary: `bubblewrap cannot be trusted: ${reason}`,
    evidence: path,
    fix: [`sudo chown root:root ${path} && sudo chmod go-w ${path}`],
  };
}

function broken(path: string, output: string): Finding {
  return {
    id: "bwrap",
    level: "fail",
    summary: "bubblewrap is installed but does not run",
    evidence: `${path} --help: ${output.trim()}`,
    fix: ["Reinstall it:", ...installCommands("bubblewrap")],
  };
}
