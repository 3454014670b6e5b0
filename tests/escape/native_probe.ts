/**
 * Runs the native probe inside and outside of sandboxes.
 *
 * @module
 */

import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Sandbox } from "./sandbox.ts";
import { ACCOUNT, CANARY, isRoot, type World } from "./world.ts";

/** How far each technique came: `"works"`, an errno, or the signal that ended the process. */
export type Outcomes = Readonly<Record<string, string>>;

/** Techniques that end a confined process, each tried in a sandbox of its own. */
export const DEADLY: readonly string[] = Deno.build.arch === "x86_64"
  ? ["52 x32 call", "52 32-bit call"]
  : [];

/** Every technique in a sandbox, behind both filters. */
export async function confinedOutcomes(world: World, sandbox: Sandbox): Promise<Outcomes> {
  const outcomes: Record<string, string> = {};
  const program = world.probe;
  const harmless = await sandbox.attack({
    program,
    args: (plugin, filter) => world.probeArguments("direct", filter, plugin),
  });
  if (harmless.report.exitCode !== 0) {
    throw new Error(`The probe ended early: ${JSON.stringify(harmless.report)}`);
  }
  Object.assign(outcomes, parseOutcomes(harmless.output));
  for (const name of DEADLY) {
    const { output, report } = await sandbox.attack({
      program,
      args: (plugin, filter) => world.probeArguments("direct", filter, plugin, [name]),
    });
    outcomes[name] = report.exitCode === 0
      ? parseOutcomes(output)[name]!
      : report.signal ?? `exit ${report.exitCode}`;
  }
  return outcomes;
}

/** Every technique without any layer: by the sandboxes' account, and by root where the suite runs as root. */
export async function freeOutcomes(world: World, as: "account" | "root"): Promise<Outcomes> {
  const harmless = await freeRun(world, as, []);
  return DEADLY.length === 0 ? harmless : { ...harmless, ...await freeRun(world, as, DEADLY) };
}

async function freeRun(world: World, as: "account" | "root", names: readonly string[]): Promise<Outcomes> {
  const plugin = `${world.directory}/open`;
  const child = spawn(world.probe, world.probeArguments("fork", "-", plugin, names), {
    // One descriptor too many, as a careless host would leave it.
    stdio: ["ignore", "pipe", "inherit", "pipe"],
    env: CANARY,
    cwd: "/",
    ...(isRoot && as === "account" ? ACCOUNT : {}),
  });
  const exit = once(child, "close");
  const chunks: BlobPart[] = [];
  for await (const chunk of child.stdout as AsyncIterable<BlobPart>) chunks.push(chunk);
  await exit;
  return parseOutcomes(await new Blob(chunks).text());
}

/** The probe's lines as a record. */
export function parseOutcomes(output: string): Outcomes {
  if (output === "") return {};
  const lines = output.trim().split("\n").map((line) => line.split("\t") as [string, string]);
  return Object.fromEntries(lines);
}
