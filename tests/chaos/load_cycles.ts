/**
 * A plugin that is loaded, called and stopped again and again: nothing of it stays.
 *
 * Usage: `deno run -A --v8-flags=--expose-gc tests/chaos/load_cycles.ts [cycles]`.
 */

import assert from "node:assert/strict";
import { leafName } from "../../src/launcher/control_group.ts";
import { createHost } from "../../src/supervisor/host.ts";
import { nativeChildren } from "./native_children.ts";
import { type Usage, usage } from "./usage.ts";

/** What there is after some cycles. */
export interface CycleSample extends Usage {
  readonly cycles: number;
  /** Files and directories of the host. */
  readonly files: number;
  readonly processes: number;
  /** Control groups of this thread's host. */
  readonly leaves: number;
}

/** The outcome of a run. */
export interface CycleReport {
  readonly cycles: number;
  readonly cycleMs: number;
  readonly samples: readonly CycleSample[];
}

/**
 * Loads, calls and stops.
 *
 * @param cycles How often.
 * @returns What stayed, at ten moments.
 */
export async function loadCycles(cycles: number): Promise<CycleReport> {
  const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-chaos-" });
  await Deno.chmod(runtimeDirectory, 0o711);
  const samples: CycleSample[] = [];
  let groups: readonly string[] = [];
  const startedAt = performance.now();
  try {
    await using host = await createHost({ runtimeDirectory, output: "ignore" });
    for (let cycle = 1; cycle <= cycles; cycle++) {
      const entry = new URL("./chaos_worker.ts", import.meta.url);
      const plugin = await host.load<typeof import("./chaos_worker.ts")>(entry);
      groups = Object.values(plugin.policy.cgroup?.directories ?? {});
      assert.equal(await plugin.api.item(cycle), cycle * 2);
      await plugin.stop();
      if (cycle % Math.ceil(cycles / 10) !== 0) continue;
      samples.push({
        cycles: cycle,
        ...usage(),
        files: count(runtimeDirectory),
        processes: nativeChildren(Deno.pid).length,
        leaves: new Set(groups.flatMap(ownLeaves)).size,
      });
    }
    assert.deepEqual(host.plugins, []);
  } finally {
    await Deno.remove(runtimeDirectory, { recursive: true });
  }
  return { cycles, cycleMs: Math.round((performance.now() - startedAt) / cycles), samples };
}

function count(directory: string): number {
  const entries = [...Deno.readDirSync(directory)];
  return entries.reduce(
    (sum, { name, isDirectory }) => sum + 1 + (isDirectory ? count(`${directory}/${name}`) : 0),
    0,
  );
}

/** What names of this thread's leaves begin with. */
const OWN = leafName().slice(0, -crypto.randomUUID().length);

function ownLeaves(directory: string): string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => name.startsWith(OWN));
}

/** Fails if something grew. */
export function assertFlat({ samples }: CycleReport): void {
  const [first, last] = [samples[0], samples.at(-1)];
  assert.ok(first !== undefined && last !== undefined);
  const { descriptors, files, processes, leaves } = last;
  assert.deepEqual({ files, processes, leaves }, {
    files: first.files,
    processes: first.processes,
    leaves: first.leaves,
  });
  assert.ok(descriptors <= first.descriptors + 4, `descriptors: ${first.descriptors}, then ${descriptors}`);
  assert.ok(last.heapMiB <= first.heapMiB + 4, `objects in MiB: ${first.heapMiB}, then ${last.heapMiB}`);
  // The runtime keeps pages of code and of malloc() for a while: most after 1,000 cycles, less again after 3,000.
  assert.ok(last.rssMiB <= first.rssMiB + 100, `memory in MiB: ${first.rssMiB}, then ${last.rssMiB}`);
}

if (import.meta.main) {
  const report = await loadCycles(Number(Deno.args[0] ?? 1_000));
  await Deno.stdout.write(new TextEncoder().encode(`${JSON.stringify(report, null, 1)}\n`));
  assertFlat(report);
}
