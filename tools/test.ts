/**
 * Runs the tests: `deno run -A tools/test.ts [paths…]`. The last line says how many passed, failed and were skipped.
 *
 * @module
 */

import { denoDirectoryVariables } from "./deno_directory.ts";
import { print, writeAll } from "./say.ts";
import { combinedReport, summaryLine, type TestReport, testReport } from "./test_report.ts";

/** Modules whose tests start no process and look at no process-wide state, so that they may run side by side. */
const PURE: readonly string[] = ["config", "policy", "proxy", "rpc", "transport", "observe"];

/** Longest time for everything together. A hang is a failure, not a lost build. */
const TIME_LIMIT_MS = 30 * 60_000;

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Run the tests and print the result.
 *
 * @param paths Test files or directories; everything when empty.
 * @returns Exit code: 0 only if something passed and nothing failed.
 */
async function main(paths: readonly string[]): Promise<number> {
  const environment = await denoDirectoryVariables();
  const signal = AbortSignal.timeout(TIME_LIMIT_MS);
  const reports: TestReport[] = [];
  for (const { label, args } of await runs(paths)) {
    print(`\n── ${label} ──`);
    reports.push(await runTests(label, args, environment, signal));
  }
  const report = combinedReport(reports);
  conclude(report);
  return report.failed.length === 0 && report.passed > 0 ? 0 : 1;
}

interface Run {
  readonly label: string;
  readonly args: readonly string[];
}

async function runs(paths: readonly string[]): Promise<readonly Run[]> {
  if (paths.length > 0) return [{ label: "tests that were asked for", args: paths }];
  const parallel: string[] = [];
  const serial: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir("tests")) {
    if (isDirectory && name !== "fixtures") {
      (PURE.includes(name) ? parallel : serial).push(`tests/${name}`);
    }
    if (!isDirectory && name.endsWith("_test.ts")) serial.push(`tests/${name}`);
  }
  return [
    { label: "tests of pure modules, in parallel", args: ["--parallel", ...await withTests(parallel)] },
    { label: "tests that start processes", args: await withTests(serial) },
    {
      label: "examples in the documentation",
      args: ["--doc", "mod.ts", "src", "README.md", ...await markdownFiles()],
    },
  ];
}

/** Pages whose code blocks run; those marked `ignore` are left out. */
async function markdownFiles(): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir("docs"));
  return entries.map(({ name }) => name).filter((name) => name.endsWith(".md")).sort().map((name) =>
    `docs/${name}`
  );
}

/** `deno test` refuses a directory that has no test in it. */
async function withTests(paths: readonly string[]): Promise<readonly string[]> {
  const kept: string[] = [];
  for (const path of [...paths].sort()) if (path.endsWith(".ts") || await hasTest(path)) kept.push(path);
  return kept;
}

async function hasTest(directory: string): Promise<boolean> {
  for await (const { name, isDirectory } of Deno.readDir(directory)) {
    if (isDirectory ? await hasTest(`${directory}/${name}`) : /_test\.tsx?$/.test(name)) return true;
  }
  return false;
}

async function runTests(
  label: string,
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<TestReport> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-test-" });
  try {
    const junit = `${directory}/junit.xml`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["test", "-A", `--junit-path=${junit}`, ...args],
      env: { ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
      signal,
    }).spawn();
    const [output, { code }] = await Promise.all([forwarded(child.stdout), child.status]);
    return testReport(await textIfAny(junit), output, code, label);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Copy a stream to standard output as it comes, and keep it. */
async function forwarded(stream: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of stream) {
    writeAll(Deno.stdout, chunk);
    text += decoder.decode(chunk, { stream: true });
  }
  return text;
}

async function textIfAny(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

function conclude(report: TestReport): void {
  print("");
  for (const { name, reason } of report.skipped) {
    print(`skipped: ${name}${reason === "" ? "" : `: ${reason}`}`);
  }
  for (const name of report.failed) print(`failed: ${name}`);
  print(summaryLine(report));
}
