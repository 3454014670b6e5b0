/**
 * Many plugins at once: all answer, and each costs what the first one does.
 *
 * Usage: `deno run -A tests/chaos/many_plugins.ts [plugins]`.
 */

import assert from "node:assert/strict";
import { createHost } from "../../src/supervisor/host.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import { nativeChildren } from "./native_children.ts";
import { processMemory } from "./process_memory.ts";
import { usage } from "./usage.ts";

/** What a group of plugins cost, each. */
interface Share {
  readonly plugins: number;
  /** Load, one after the other, in milliseconds each. */
  readonly loadMs: number;
  /** Of the host. */
  readonly hostRssMiB: number;
  readonly hostDescriptors: number;
}

/** The outcome of a run. */
export interface ManyReport {
  readonly plugins: number;
  readonly shares: readonly Share[];
  /** All called at once, in milliseconds. */
  readonly answeredMs: number;
  /** Memory that only the plugin's own process has, in MiB. */
  readonly privateMiB: { readonly smallest: number; readonly largest: number };
  /** Its share of everything, in MiB each. */
  readonly proportionalMiB: number;
  readonly stoppedMs: number;
}

/**
 * Loads plugins, calls them all, and ends them.
 *
 * @param count How many.
 * @returns What they cost.
 */
export async function manyPlugins(count: number): Promise<ManyReport> {
  await using host = await createHost({ output: "ignore" });
  const entry = new URL("./chaos_worker.ts", import.meta.url);
  const plugins: Plugin<typeof import("./chaos_worker.ts")>[] = [];
  const shares: Share[] = [];
  const groups = 4;
  for (let group = 1; group <= groups; group++) {
    const startedAt = performance.now();
    const before = plugins.length;
    while (plugins.length < Math.round(count * group / groups)) plugins.push(await host.load(entry));
    const loaded = plugins.length - before;
    const { rssMiB, descriptors } = usage();
    shares.push({
      plugins: plugins.length,
      loadMs: round((performance.now() - startedAt) / loaded),
      hostRssMiB: rssMiB,
      hostDescriptors: descriptors,
    });
  }
  const calledAt = performance.now();
  const answers = await Promise.all(plugins.map((plugin, index) => plugin.api.item(index)));
  assert.deepEqual(answers, plugins.map((_, index) => index * 2), "all answer");
  const answeredMs = round(performance.now() - calledAt);
  const memory = plugins.map((plugin) => processMemory(innermost(plugin)));
  const privateMiB = memory.map(({ privateBytes }) => privateBytes / 2 ** 20);
  const proportional = memory.reduce((sum, { proportionalBytes }) => sum + proportionalBytes, 0) / 2 ** 20;
  const stopAt = performance.now();
  await Promise.all(plugins.map((plugin) => plugin.stop()));
  return {
    plugins: count,
    shares,
    answeredMs,
    privateMiB: { smallest: round(Math.min(...privateMiB)), largest: round(Math.max(...privateMiB)) },
    proportionalMiB: round(proportional / count),
    stoppedMs: round(performance.now() - stopAt),
  };
}

/** Pid of the runtime itself, below the guard and bubblewrap. */
function innermost({ status }: { readonly status: Plugin["status"] }): number {
  assert.ok(status.state === "running");
  let pid = status.pid;
  for (let below = nativeChildren(pid); below.length > 0; below = nativeChildren(pid)) pid = below[0]!;
  return pid;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

if (import.meta.main) {
  const report = await manyPlugins(Number(Deno.args[0] ?? 200));
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  assert.ok(report.privateMiB.largest <= 15, "at most 15 MiB of memory of its own each");
}
