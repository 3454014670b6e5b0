/** Numbers of the threat list that are about how hosts and plugins end. */

import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { eventually, ownFdCount, readProc } from "../launcher/processes.ts";
import { collectGarbage } from "../rpc/collect_garbage.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";
import { ACCOUNT, isRoot } from "./world.ts";

const PLUGIN = `export function turn() { return 1; }
export function spin() { for (;;); }
export function hang() { return new Promise(() => {}); }
export async function* count() { for (let n = 0;; n++) yield new Uint8Array(10_000).fill(n); }`;

const { facts } = await probePlatform({ runAs: ACCOUNT });
const unavailable = facts.namespacesWork ? null : "no user namespaces or no bubblewrap";

interface Turning {
  turn(): number;
  spin(): void;
  hang(): Promise<void>;
  count(): AsyncGenerator<Uint8Array>;
}

function lifecycleTest(claim: string, fn: () => Promise<void>, why: string | null = unavailable): void {
  Deno.test({ name: why === null ? claim : `${claim} [skipped: ${why}]`, ignore: why !== null, fn });
}

/** Programs that this process and its children have started, whoever runs them now. */
function descendants(): readonly string[] {
  const pids = [...Deno.readDirSync("/proc")].map(({ name }) => Number(name)).filter(Number.isInteger);
  return pids.filter((pid) => pid !== Deno.pid && descendsFrom(pid)).map((pid) =>
    readProc(pid, "cmdline")?.split("\0")[0] ?? ""
  );
}

function descendsFrom(pid: number): boolean {
  if (pid === Deno.pid) return true;
  const parent = Number(/^PPid:\s+(\d+)$/m.exec(readProc(pid, "status") ?? "")?.[1] ?? 0);
  return parent > 1 && descendsFrom(parent);
}

lifecycleTest(
  "88: a sandbox that a worker started ends with the worker's thread, even while it spins",
  async () => {
    await using folder = await folderWith({ "plugin.ts": PLUGIN });
    const before = descendants();
    const others = leaves();
    const worker = new Worker(new URL("fixtures/worker_host.ts", import.meta.url), { type: "module" });
    const answer = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
    });
    worker.postMessage({ entry: `${folder.path}/plugin.ts`, runtimeDirectory: `${folder.path}/run` });
    assert.equal(await answer, 1);
    assert.ok(descendants().includes("/app/deno"), "the control: it runs");
    const its = leaves().filter((leaf) => !others.includes(leaf) && isOfOwnThread(leaf));
    assert.ok(facts.cgroup === null || its.length > 0, "the control: its leaves are there");
    worker.terminate();
    await eventually("nothing of it is left", () => !descendants().includes("/app/deno"));
    await eventually("the guard is gone", () => descendants().length <= before.length);
    await using test = await testHost();
    await using _next = await test.host.load(await test.plugin(PLUGIN));
    assert.deepEqual(leaves().filter((leaf) => its.includes(leaf)), [], "the next load sweeps");
  },
);

/** Control groups of sandboxes, in all hierarchies. */
function leaves(): string[] {
  const directories = [...new Set(Object.values(facts.cgroup?.directories ?? {}))];
  return directories.flatMap((path) => [...Deno.readDirSync(path)]).map(({ name }) => name);
}

/** Other processes make and remove leaves of theirs at the same time. */
function isOfOwnThread(leaf: string): boolean {
  return existsSync(`/proc/self/task/${/^cordon-(\d+)-/.exec(leaf)?.[1]}`);
}

lifecycleTest(
  "89: a host that is the first process of a container is left with no zombies",
  async () => {
    await using folder = await folderWith({ "plugin.ts": PLUGIN });
    const script = new URL("fixtures/first_process.ts", import.meta.url).pathname;
    const { code, stdout, stderr } = await new Deno.Command("unshare", {
      args: [
        ...[
          "--pid",
          "--fork",
          "--mount",
          "--mount-proc",
          Deno.execPath(),
          "run",
          "-A",
          "--no-lock",
          "--no-check",
        ],
        ...[script, `${folder.path}/run`, `${folder.path}/cache`, `${folder.path}/plugin.ts`],
      ],
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    assert.deepEqual(JSON.parse(new TextDecoder().decode(stdout)), { pid: 1, left: 0, withOrphan: 1 });
  },
  unavailable ?? (isRoot ? null : "making a pid namespace needs root"),
);

const CYCLES = Number(Deno.env.get("CORDON_CYCLES") ?? 30);
/** What the heap may grow by, however many there were: one plugin that is kept is more than a hundredth of it. */
const SLACK_BYTES = 8 * 2 ** 20;

lifecycleTest(
  `94: ${CYCLES} plugins that are disposed of under load leave no descriptor, process or memory`,
  async () => {
    await using test = await testHost();
    const entry = await test.plugin(PLUGIN);
    /** Ends a plugin while it answers, streams, spins or hangs. */
    const cycle = async (number: number): Promise<void> => {
      const plugin = await test.host.load<Turning>(entry, { shutdownGraceMs: 50 });
      const calls = Array.from({ length: 50 }, () => plugin.api.turn());
      // A plugin that spins sends no answers either.
      await calls[0];
      const load = number % 3 === 0
        ? plugin.api.hang()
        : number % 3 === 1
        ? plugin.api.spin()
        : readAll(plugin.api.count());
      const ended = [...calls, load].map((call) => call.then(() => "answered", () => "rejected"));
      await plugin[Symbol.asyncDispose]();
      const outcomes = await Promise.all(ended);
      assert.equal(outcomes.length, 51, "every call settled");
      assert.equal(outcomes[50], "rejected");
    };
    for (let warm = 0; warm < 6; warm++) await cycle(warm);
    const before = { fds: ownFdCount(), heap: usedHeap() };
    for (let number = 0; number < CYCLES; number++) await cycle(number);
    assert.ok(!descendants().includes("/app/deno"));
    await eventually("descriptors are what they were", () => ownFdCount() <= before.fds);
    const grown = usedHeap() - before.heap;
    assert.ok(grown < SLACK_BYTES, `${grown / 2 ** 20} MiB more`);
  },
);

function usedHeap(): number {
  collectGarbage();
  return Deno.memoryUsage().heapUsed;
}

async function readAll(stream: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of stream) if (chunk.length !== 10_000) throw new RangeError("cut");
}
