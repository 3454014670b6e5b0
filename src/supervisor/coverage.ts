/**
 * Counts which lines of a plugin ran, and writes a report when its process has ended.
 *
 * @module
 */

import { join } from "node:path";
import type { Bundle } from "../bundle/types.ts";
import type { LoadConfig } from "../config/types.ts";
import { ConfigError } from "../errors.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { quote } from "../util/quote.ts";
import { parseSourceMap } from "../util/source_map.ts";
import { coverageReport, type ScriptCoverage } from "./coverage_report.ts";

/** Where the runtime inside writes what it counted. */
const TARGET = "/app/coverage";

/** What the plugin's files begin with, as the runtime names them. */
const SCRIPTS = "file:///app/plugin/";

/** One process whose lines are counted. Disposing writes the report; the process must have ended. */
export interface Coverage extends AsyncDisposable {
  /** The policy with one more mount, to be written to. */
  readonly policy: SandboxPolicy;
  /** What runs in it, as soon as that is known. */
  bundle: Bundle | null;
}

/**
 * Prepare the counting for one process, if the plugin's options ask for it.
 *
 * @param config The plugin's options.
 * @param policy Its policy.
 * @param hostDirectory Directory of the host, which sandboxes' accounts can enter.
 * @returns The counting, or `null`. The caller disposes it after the sandbox.
 * @throws {ConfigError} If the plugin is not bundled, or nothing can be written where the report is wanted.
 */
export async function coverageOf(
  { coverage: output, name, bundle }: LoadConfig,
  policy: SandboxPolicy,
  hostDirectory: string,
): Promise<Coverage | null> {
  if (output === undefined) return null;
  if (bundle === false) {
    throw new ConfigError(`Cannot count what runs in "${name}" as it is not bundled`, {
      path: "coverage",
      hint: "Leave out bundle: false",
    });
  }
  await demandWritable(output);
  const id = crypto.randomUUID();
  const directory = join(hostDirectory, `coverage-${id}`);
  await Deno.mkdir(directory, { mode: 0o700 });
  if (policy.runAs !== null) {
    await Deno.chown(directory, Deno.uid(), policy.runAs.gid);
    await Deno.chmod(directory, 0o770);
  }
  const mount = Object.freeze({ source: directory, target: TARGET, mode: "read-write" } as const);
  const coverage: Coverage = {
    bundle: null,
    policy: Object.freeze({
      ...policy,
      mounts: Object.freeze([...policy.mounts, mount]),
      coverage: TARGET,
    }),
    async [Symbol.asyncDispose]() {
      const report = coverage.bundle === null ? "" : await reportOf(coverage.bundle, directory);
      await Deno.remove(directory, { recursive: true });
      if (report === "") return;
      await Deno.mkdir(output, { recursive: true });
      await Deno.writeTextFile(join(output, `${name}-${id.slice(0, 8)}.info`), report);
    },
  };
  return coverage;
}

/** Only trying tells, and at the end it would be too late. */
async function demandWritable(output: string): Promise<void> {
  try {
    await Deno.mkdir(output, { recursive: true });
    await Deno.remove(await Deno.makeTempFile({ dir: output, prefix: ".cordon-" }));
  } catch (cause) {
    if (!(cause instanceof Error)) throw cause;
    throw new ConfigError(`Cannot use ${quote(output)} as a directory for reports: ${cause.message}`, {
      path: "coverage",
      hint: "Name a directory that this process may write to",
      cause,
    });
  }
}

/** Only the plugin's own sources: what its packages do is their authors' business. */
async function reportOf(bundle: Bundle, directory: string): Promise<string> {
  const maps: Readonly<Record<string, string>> = { ...bundle.workerMaps, [bundle.entry]: bundle.sourceMap };
  const own = new Set(bundle.inputs);
  return (await counted(directory)).map((script) => {
    const name = script.url.slice(SCRIPTS.length);
    const code = script.url.startsWith(SCRIPTS) ? bundle.files.get(name) : undefined;
    const map = Object.hasOwn(maps, name) ? maps[name] : undefined;
    if (code === undefined || map === undefined) return "";
    const text = new TextDecoder().decode(code);
    return coverageReport(script, text, parseSourceMap(map), (source) => own.has(source));
  }).join("");
}

/** The plugin's process could have put anything there: what is no regular file of counts is left alone. */
async function counted(directory: string): Promise<ScriptCoverage[]> {
  const found: ScriptCoverage[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (!isFile || !name.endsWith(".json")) continue;
    const coverage = parsed(await Deno.readTextFile(join(directory, name)));
    if (isCoverage(coverage)) found.push(coverage);
  }
  return found;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

function isCoverage(value: unknown): value is ScriptCoverage {
  if (!isObject(value) || typeof value.url !== "string" || !Array.isArray(value.functions)) return false;
  return value.functions.every((one: unknown) =>
    isObject(one) && typeof one.functionName === "string" && Array.isArray(one.ranges) &&
    one.ranges.every(isRange)
  );
}

function isRange(range: unknown): boolean {
  return isObject(range) && [range.startOffset, range.endOffset, range.count].every(Number.isSafeInteger);
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null;
}
