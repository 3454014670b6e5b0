/**
 * Passes a large array and a large tensor through messages, as a host without FFI must; prints medians in milliseconds.
 * A program of its own, started without that permission.
 */

import { createHost } from "../mod.ts";
import type * as BenchPlugin from "../tests/fixtures/tensor/bench_plugin.ts";
import { median } from "./median.ts";

const [elements = "", rounds = ""] = Deno.args;
await using host = await createHost();
const entry = new URL("../tests/fixtures/tensor/bench_plugin.ts", import.meta.url);
await using plugin = await host.load<typeof BenchPlugin>(entry, { maxFrame: "256MiB" });
if (host.tensorStats().kind !== "copy") throw new Error("Cannot measure frames as memory is shared");
const array = new Float32Array(Number(elements)).fill(1);
const times = { argument: [] as number[], result: [] as number[] };
for (let round = -1; round < Number(rounds); round++) {
  const start = performance.now();
  await plugin.api.firstOf(array);
  const middle = performance.now();
  await plugin.api.array(array.length);
  if (round < 0) continue;
  times.argument.push(middle - start);
  times.result.push(performance.now() - middle);
}
const report = { argument: median(times.argument), result: median(times.result) };
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify(report)));
