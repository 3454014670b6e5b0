/** Handing tensors over, beside one small call; passing arrays, beside memcpy, frames and a Worker. */

import { createHost, type Host, type Plugin, type Tensor } from "../mod.ts";
import type * as BenchPlugin from "../tests/fixtures/tensor/bench_plugin.ts";
import { median } from "./median.ts";

const PLUGIN = new URL("../tests/fixtures/tensor/bench_plugin.ts", import.meta.url);
const ROUNDS = 200;
const KIB = 2 ** 10;
const MIB = 2 ** 20;
const GIB = 2 ** 30;
const ARRAY_BYTES = 64 * MIB;
const MANY = 100_000;
const IN_FLIGHT = 20;

type Loaded = Plugin<typeof BenchPlugin>;
type Row = readonly [name: string, value: string, ratio: number | null];

/** Measure and print. */
export async function tensorBench(): Promise<void> {
  await using host = await createHost();
  await using plugin = await host.load<typeof BenchPlugin>(PLUGIN);
  await handover(host, plugin);
  await arrays(plugin);
  await many(host, plugin);
}

/** A tensor that was made in shared memory costs a small call, whatever its size. Taken in turns: machines are noisy. */
async function handover(host: Host, plugin: Loaded): Promise<void> {
  using small = host.tensor([KIB], "float32", { shared: true });
  using large = host.tensor([GIB / 4]);
  const [call, smallThere, largeThere] = await inTurns([
    () => plugin.api.nothing(),
    () => plugin.api.first(small as never),
    () => plugin.api.first(large as never),
  ]) as [number, number, number];
  const receive = async (): Promise<void> => (await plugin.api.get() as unknown as Tensor).dispose();
  await plugin.api.prepare(KIB);
  const smallBack = await p50(receive);
  await plugin.api.prepare(GIB / 4);
  const largeBack = await p50(receive);
  await plugin.api.prepare(1);
  print(`handing over a tensor in shared memory, medians of ${ROUNDS}; 1 GiB is compared with 4 KiB`, [
    ["small call without a tensor", micro(call), 1],
    ["4 KiB to the plugin", micro(smallThere), smallThere / call],
    ["1 GiB to the plugin", micro(largeThere), largeThere / smallThere],
    ["4 KiB from the plugin", micro(smallBack), smallBack / call],
    ["1 GiB from the plugin", micro(largeBack), largeBack / smallBack],
  ]);
}

async function inTurns(works: readonly (() => Promise<unknown>)[]): Promise<readonly number[]> {
  const times = works.map((): number[] => []);
  for (let round = 0; round < ROUNDS; round++) {
    for (const [index, work] of works.entries()) {
      const start = performance.now();
      await work();
      times[index]?.push(performance.now() - start);
    }
  }
  return times.map((values) => median(values));
}

/** An ordinary typed array as an argument, and as a result. */
async function arrays(plugin: Loaded): Promise<void> {
  const array = new Float32Array(ARRAY_BYTES / 4).fill(1);
  const warm = new Float32Array(array.length).fill(1);
  const rounds = 15;
  const memcpy = await p50(() => Promise.resolve(array.slice()[0]), rounds);
  const rows: Row[] = [["memcpy to new memory (slice)", bandwidth(memcpy), 1]];
  const add = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    const ms = await p50(work, rounds);
    rows.push([name, bandwidth(ms), memcpy / ms]);
  };
  await add("memcpy to memory in use (set)", () => Promise.resolve(warm.set(array)));
  await add("argument of a call", () => plugin.api.firstOf(array));
  await add("result of a call", () => plugin.api.array(array.length));
  await add("fill() alone, as in that result", () => Promise.resolve(new Float32Array(array.length).fill(1)));
  await workerRows(array, add);
  const framed = await throughFrames(array.length, rounds);
  rows.push([
    "argument in a frame (no FFI)",
    bandwidth(framed.argument),
    memcpy / framed.argument,
  ]);
  rows.push(["result in a frame (no FFI)", bandwidth(framed.result), memcpy / framed.result]);
  print(`64 MiB Float32Array, medians of ${rounds}; bandwidth compared with memcpy`, rows);
}

async function workerRows(
  array: Float32Array,
  add: (name: string, work: () => Promise<unknown>) => Promise<void>,
): Promise<void> {
  const source = "onmessage = ({ data }) => postMessage(data.length);";
  const worker = new Worker(`data:application/javascript,${encodeURIComponent(source)}`, { type: "module" });
  const answer = (): Promise<unknown> =>
    new Promise((resolve) => worker.addEventListener("message", resolve, { once: true }));
  await add("Worker, structured clone", () => {
    worker.postMessage(array);
    return answer();
  });
  const spare = Array.from({ length: 16 }, () => array.slice());
  await add("Worker, transfer (gone here)", () => {
    const given = spare.pop() ?? array.slice();
    worker.postMessage(given, [given.buffer]);
    return answer();
  });
  worker.terminate();
}

async function throughFrames(
  elements: number,
  rounds: number,
): Promise<{ readonly argument: number; readonly result: number }> {
  const permissions = ["read", "write", "run", "env", "net", "sys"].map((name) => `--allow-${name}`);
  const program = new URL("tensor_frames.ts", import.meta.url).pathname;
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, program, String(elements), String(rounds)],
  }).output();
  if (code !== 0) throw new Error(`Cannot measure frames: ${new TextDecoder().decode(stderr)}`);
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Nothing grows. */
async function many(host: Host, plugin: Loaded): Promise<void> {
  const rows: Row[] = [];
  for (let sent = 0; sent <= MANY; sent += IN_FLIGHT) {
    if (sent % (MANY / 5) === 0) rows.push([`after ${sent}`, use(host), null]);
    await Promise.all(Array.from({ length: IN_FLIGHT }, async (_, index) => {
      using tensor = host.tensor([index % 3 === 0 ? 300_000 : 20_000]);
      await plugin.api.first(tensor as never);
    }));
  }
  print(`${MANY} tensors through one plugin, a third of them with memory of their own`, rows);
}

function use(host: Host): string {
  const { usedBytes, regions, leases } = host.tensorStats();
  const descriptors = Array.from(Deno.readDirSync("/proc/self/fd")).length;
  const rss = Math.round(Deno.memoryUsage().rss / MIB);
  return `${
    Math.round(usedBytes / MIB)
  } MiB shared, ${regions} regions, ${leases} leases, ${descriptors} fds, ${rss} MiB RSS`;
}

async function p50(work: () => Promise<unknown>, rounds = ROUNDS): Promise<number> {
  const times: number[] = [];
  for (let round = -3; round < rounds; round++) {
    const start = performance.now();
    await work();
    if (round >= 0) times.push(performance.now() - start);
  }
  return median(times);
}

const micro = (ms: number): string => `${(ms * 1000).toFixed(0)} µs`;
const bandwidth = (ms: number): string => `${(ARRAY_BYTES / GIB / (ms / 1000)).toFixed(2)} GiB/s`;

function print(title: string, rows: readonly Row[]): void {
  // deno-lint-ignore no-console -- a benchmark prints
  console.log(
    [
      `\n${title}`,
      ...rows.map(([name, value, ratio]) =>
        `  ${name.padEnd(34)} ${value.padStart(14)}${ratio === null ? "" : `   ${ratio.toFixed(2)} ×`}`
      ),
    ].join("\n"),
  );
}
