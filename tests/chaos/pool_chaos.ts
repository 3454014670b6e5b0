/**
 * A pool under fire: its processes are killed, stopped, spun and filled with memory at random while it works.
 *
 * Usage: `deno run -A --v8-flags=--expose-gc tests/chaos/pool_chaos.ts [calls] [seed]`. Exits with 0 if nothing was lost, run twice or left behind.
 */

import assert from "node:assert/strict";
import { CallTimeoutError, PluginCrashedError } from "../../src/errors.ts";
import { createHost } from "../../src/supervisor/host.ts";
import { nativeChildren } from "./native_children.ts";
import { seededRandom } from "./seeded_random.ts";
import { type Usage, usage } from "./usage.ts";

/** What is done to a worker, and how often of 1000 calls. */
const troubles = { kill: 2, stop: 1, spin: 1, bomb: 1 } as const;

/** The outcome of a run. */
export interface ChaosReport {
  readonly calls: number;
  readonly seed: number;
  readonly succeeded: number;
  readonly rejected: Readonly<Record<string, number>>;
  readonly crashes: number;
  readonly seconds: number;
  /** Of the host: when the pool was ready, after each tenth of the calls, and at the end. */
  readonly samples: readonly Usage[];
}

/**
 * Runs the chaos.
 *
 * @param calls How many tasks.
 * @param seed Of the random choices.
 * @returns What happened.
 */
export async function poolChaos(calls: number, seed: number): Promise<ChaosReport> {
  const random = seededRandom(seed);
  const startedAt = performance.now();
  const rejected: Record<string, number> = {};
  const runs = new Uint8Array(calls);
  let succeeded = 0;
  await using host = await createHost();
  const worker = new URL("./chaos_worker.ts", import.meta.url);
  await using pool = await host.pool<typeof import("./chaos_worker.ts")>(worker, {
    size: 4,
    limits: { memory: "64MiB" },
    taskTimeoutMs: 2_000,
    cancelGraceMs: 100,
    acquireTimeoutMs: 0,
    restart: { backoff: () => 1, maxRestarts: 1_000, windowMs: 1_000 },
  });
  await pool.execute((api) => api.item(-1));
  const samples = [usage()];
  let settled = 0;
  const one = async (item: number): Promise<void> => {
    const trouble = chosen(random());
    if (trouble === "kill" || trouble === "stop") strike(trouble, random());
    try {
      const result = await pool.execute((api) => {
        runs[item] = (runs[item] ?? 0) + 1;
        return trouble === "spin" ? api.spin() : trouble === "bomb" ? api.bomb() : api.item(item);
      });
      assert.equal(result, item * 2);
      succeeded++;
    } catch (error) {
      // The memory limit may also refuse one allocation, which the plugin survives.
      const isRefused = trouble === "bomb" && error instanceof RangeError;
      const isExpected = error instanceof PluginCrashedError || error instanceof CallTimeoutError ||
        isRefused;
      assert.ok(isExpected, `a rejection is typed: ${error}`);
      const reason = error instanceof PluginCrashedError ? error.reason : error.name;
      rejected[reason] = (rejected[reason] ?? 0) + 1;
    }
    if (++settled % Math.ceil(calls / 10) === 0) samples.push(usage());
  };
  await inFlight(calls, 32, one);
  await pool.drain();
  const { crashes, submitted, failed } = pool.stats();
  assert.equal(submitted, calls + 1);
  assert.equal(succeeded + failed, calls);
  assert.equal(succeeded + sum(rejected), calls, "succeeded + rejected = submitted");
  assert.ok(runs.every((count) => count <= 1), "every item ran at most once");
  return {
    calls,
    seed,
    succeeded,
    rejected,
    crashes,
    seconds: Math.round((performance.now() - startedAt) / 100) / 10,
    samples,
  };
}

/** What has grown since the middle of the run grows for ever. */
export function assertFlat({ samples }: Pick<ChaosReport, "samples">): void {
  const first = samples[0]!;
  const middle = samples[samples.length >> 1]!;
  const last = samples.at(-1)!;
  assert.ok(last.descriptors <= first.descriptors + 16, `descriptors: ${JSON.stringify(samples)}`);
  assert.ok(last.rssMiB <= middle.rssMiB + 64, `memory: ${JSON.stringify(samples)}`);
}

function chosen(random: number): keyof typeof troubles | null {
  let share = random * 1000;
  for (const [name, weight] of Object.entries(troubles)) {
    share -= weight;
    if (share < 0) return name as keyof typeof troubles;
  }
  return null;
}

/** Kills or stops one of the processes inside a sandbox, if there is one just now. */
function strike(trouble: "kill" | "stop", random: number): void {
  const pids = nativeChildren(Deno.pid).flatMap((outer) => nativeChildren(outer));
  const pid = pids[Math.floor(random * pids.length)];
  if (pid === undefined) return;
  try {
    Deno.kill(pid, trouble === "kill" ? "SIGKILL" : "SIGSTOP");
  } catch (error) {
    // It may have ended in between.
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

async function inFlight(count: number, atOnce: number, work: (item: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) await work(next++);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

if (import.meta.main) {
  const calls = Number(Deno.args[0] ?? 100_000);
  const seed = Number(Deno.args[1] ?? crypto.getRandomValues(new Uint32Array(1))[0]);
  await Deno.stdout.write(new TextEncoder().encode(`seed ${seed}\n`));
  const report = await poolChaos(calls, seed);
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(report, null, 2)}\n`));
  assertFlat(report);
}
