/** Plugins that die, restart, reload and work in pools, with real processes. */

import assert from "node:assert/strict";
import { CallTimeoutError, DisposedError, PluginCrashedError } from "../../src/errors.ts";
import type { Plugin } from "../../src/supervisor/types.ts";
import { isNoSuchProcess } from "../../src/util/no_such_process.ts";
import { testHost } from "../testing/fixtures.ts";

interface Api {
  bump(): number;
  exit(code: number): void;
  sleep(ms: number): Promise<number>;
  spin(): void;
}

const code = `
  let count = 0;
  export function bump() { return ++count; }
  export function exit(code: number) { Deno.exit(code); }
  export async function sleep(ms: number) { await new Promise((done) => setTimeout(done, ms)); return ms; }
  export function spin() { for (;;) ; }
`;

const quick = { restart: { backoff: () => 1 } };

function pidOf(plugin: Plugin<Api>): number {
  const { status } = plugin;
  assert.ok(status.state === "running");
  return status.pid;
}

async function untilState(plugin: Plugin<Api>, state: string, generation = 0): Promise<void> {
  for await (const status of plugin.statusChanges()) {
    if (status.state === state && status.generation >= generation) return;
  }
  assert.fail(`the plugin never was ${state}`);
}

Deno.test("Plugin restarts after a crash: calls in flight reject once, the next ones wait and are answered", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(code), quick);
  const inFlight = Array.from({ length: 3 }, () => plugin.api.sleep(60_000));
  const killed = Promise.allSettled(inFlight);
  Deno.kill(pidOf(plugin), "SIGKILL");
  for (const outcome of await killed) {
    assert.ok(outcome.status === "rejected" && outcome.reason instanceof PluginCrashedError);
    assert.equal(outcome.reason.signal, "SIGKILL");
  }
  assert.equal(await plugin.api.bump(), 1);
  assert.equal(plugin.status.generation, 2);
});

Deno.test("Plugin runs a call again after a crash only if it was declared idempotent", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { ...quick, idempotent: ["sleep"] });
  const repeated = plugin.api.sleep(300);
  await plugin.api.bump();
  await assert.rejects(plugin.api.exit(3), { name: "PluginCrashedError", reason: "exit-code", exitCode: 3 });
  assert.equal(await repeated, 300);
  assert.equal(plugin.status.generation, 2);
});

Deno.test("Plugin without restart stays crashed and rejects each later call with the crash", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(code));
  await assert.rejects(plugin.api.exit(3), { name: "PluginCrashedError", exitCode: 3 });
  await untilState(plugin, "crashed");
  await assert.rejects(plugin.api.bump(), { name: "PluginCrashedError", exitCode: 3 });
});

Deno.test("Plugin is quarantined when it keeps crashing, and restart() gives it a new chance", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { restart: { backoff: () => 1, maxRestarts: 1 } });
  await assert.rejects(plugin.api.exit(3), PluginCrashedError);
  await assert.rejects(plugin.api.exit(4), PluginCrashedError);
  await untilState(plugin, "quarantined");
  await assert.rejects(plugin.api.bump(), { name: "PluginCrashedError", exitCode: 4 });
  await plugin.restart();
  assert.equal(await plugin.api.bump(), 1);
});

Deno.test("Plugin.on() and services go on after a restart by themselves", async () => {
  const seen: unknown[] = [];
  const db = { lookup: (key: string) => `value of ${key}` };
  await using test = await testHost({ services: { db } });
  const path = await test.plugin(`
    import { emit, service } from "@cordon/cordon/plugin";
    export async function run() { emit("ran", await service<any>("db").lookup("a")); }
  `);
  await using plugin = await test.host.load<{ run(): void }>(path, { ...quick, services: ["db"] });
  plugin.on("ran", (payload) => seen.push(payload));
  await plugin.api.run();
  await plugin.restart();
  await plugin.api.run();
  assert.deepEqual(seen, ["value of a", "value of a"]);
});

Deno.test("Plugin.restart() five times at once is one restart", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(code));
  await Promise.all(Array.from({ length: 5 }, () => plugin.restart()));
  assert.equal(plugin.status.generation, 2);
});

Deno.test("A call's timeout holds against a plugin that never yields: it is killed, and the next call is answered", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { ...quick, shutdownGraceMs: 100 });
  await assert.rejects(plugin.with({ timeoutMs: 100 }).spin(), CallTimeoutError);
  await untilState(plugin, "running", 2);
  assert.equal(await plugin.api.bump(), 1);
});

Deno.test("A call that is given up does not kill a plugin that still answers", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { ...quick, shutdownGraceMs: 50 });
  await assert.rejects(plugin.with({ timeoutMs: 20 }).sleep(400), CallTimeoutError);
  assert.equal(await plugin.api.sleep(200), 200);
  assert.equal(plugin.status.generation, 1);
});

Deno.test("heartbeatMs notices a stopped plugin that nobody calls", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { ...quick, heartbeatMs: 20 });
  const pid = await sandboxedPid(pidOf(plugin));
  Deno.kill(pid, "SIGSTOP");
  await untilState(plugin, "running", 2);
  assert.equal(await plugin.api.bump(), 1);
});

Deno.test("heartbeatMs leaves a plugin alone that computes for somebody, and one that sleeps", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export function compute(ms: number) {
      for (const end = performance.now() + ms; performance.now() < end;);
      return "done";
    }
    export const nap = (ms: number) => new Promise((wake) => setTimeout(() => wake("awake"), ms));
    export async function* count() { for (let i = 0; i < 3; i++) { compute(100); yield i; } }
  `);
  interface Busy {
    compute(ms: number): string;
    nap(ms: number): string;
    count(): AsyncGenerator<number>;
  }
  // Three questions in a row are missed after 60 ms.
  await using plugin = await test.host.load<Busy>(path, { ...quick, heartbeatMs: 20 });
  assert.equal(await plugin.api.compute(400), "done");
  assert.equal(await plugin.api.nap(200), "awake");
  assert.deepEqual(await Array.fromAsync(plugin.api.count()), [0, 1, 2]);
  assert.equal(plugin.status.generation, 1);
});

Deno.test("Plugin.reload() runs the new code, hands state over, and lets calls in flight finish on the old", async () => {
  await using test = await testHost();
  const version = (name: string) => `
    let count = 0;
    export function bump() { return "${name} " + ++count; }
    export async function sleep(ms: number) { await new Promise((done) => setTimeout(done, ms)); return "${name}"; }
    export function saveState() { return { count }; }
    export function restoreState(state: { count: number }) { count = state.count; }
  `;
  const path = await test.plugin(version("old"), "versions.ts");
  await using plugin = await test.host.load<{ bump(): string; sleep(ms: number): string }>(path);
  assert.equal(await plugin.api.bump(), "old 1");
  const inFlight = plugin.api.sleep(200);
  await Deno.writeTextFile(path, version("new"));
  await plugin.reload();
  assert.equal(await plugin.api.bump(), "new 2");
  assert.equal(await inFlight, "old");
});

Deno.test("Plugin.reload() of code that cannot be bundled leaves the old version serving", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const bump = () => 1;`, "broken.ts");
  await using plugin = await test.host.load<Api>(path);
  await Deno.writeTextFile(path, `export const bump = () => {`);
  await assert.rejects(plugin.reload(), { name: "BundleError" });
  assert.equal(await plugin.api.bump(), 1);
  assert.equal(plugin.status.generation, 1);
});

Deno.test("watch reloads when a file of the plugin changes, and a failing version is reported and leaves the old one", async () => {
  await using test = await testHost();
  const events: string[] = [];
  const failed = Promise.withResolvers<void>();
  const reloaded = Promise.withResolvers<void>();
  test.host.on("reload", ({ event }) => {
    events.push(event.kind);
    if (event.kind === "failed") failed.resolve();
    if (event.kind === "reloaded") reloaded.resolve();
  });
  const path = await test.plugin(`export { answer } from "./watched_part.ts";`, "watched.ts");
  const part = await test.plugin(`export const answer = () => 1;`, "watched_part.ts");
  await using plugin = await test.host.load<{ answer(): number }>(path, { watch: { debounce: 20 } });
  await Deno.writeTextFile(part, `export const answer = () => {`);
  await failed.promise;
  assert.equal(await plugin.api.answer(), 1);
  await Deno.writeTextFile(part, `export const answer = () => 2;`);
  await reloaded.promise;
  assert.equal(await plugin.api.answer(), 2);
  assert.equal(events.at(-1), "reloaded");
});

Deno.test("Plugin.onReload() hears of its own reloads only, by hand too, until it is disposed", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const bump = () => 1;`, "heard.ts");
  await using plugin = await test.host.load<Api>(path);
  await using namesake = await test.host.load<Api>(path);
  const events: string[] = [];
  const listening = plugin.onReload(({ kind }) => events.push(kind));
  await plugin.reload();
  await namesake.reload();
  await Deno.writeTextFile(path, `export const bump = () => {`);
  await assert.rejects(plugin.reload(), { name: "BundleError" });
  listening[Symbol.dispose]();
  await assert.rejects(plugin.reload(), { name: "BundleError" });
  assert.deepEqual(events, ["reloading", "reloaded", "reloading", "failed"]);
});

Deno.test("Host.pool() maps 1000 items over its processes, in order, each exactly once", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export function double(item: number) { return item * 2; }`);
  await using pool = await test.host.pool<{ double(item: number): number }>(path, { size: 2 });
  const items = Array.from({ length: 1_000 }, (_, item) => item);
  const results = await Array.fromAsync(pool.map(items, (api, item) => api.double(item)));
  assert.deepEqual(results, items.map((item) => item * 2));
  assert.equal(pool.stats().succeeded, 1_000);
});

Deno.test("Host.pool() rejects only the tasks of the process that died, and replaces it", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using pool = await test.host.pool<Api>(path, { size: 2, restart: { backoff: () => 1 } });
  const survivor = pool.execute((api) => api.sleep(100));
  await assert.rejects(pool.execute((api) => api.exit(3)), { name: "PluginCrashedError", exitCode: 3 });
  assert.equal(await survivor, 100);
  const both = await Promise.all([
    pool.execute((api) => api.sleep(50)),
    pool.execute((api) => api.sleep(50)),
  ]);
  assert.deepEqual(both, [50, 50]);
  assert.equal(pool.stats().size, 2);
});

Deno.test("Host.pool() kills a worker that does not let go of a task in time, and serves the next", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using pool = await test.host.pool<Api>(path, { size: 1, taskTimeoutMs: 100, cancelGraceMs: 50 });
  await assert.rejects(pool.execute((api) => api.spin()), CallTimeoutError);
  assert.equal(await pool.execute((api) => api.bump()), 1);
});

Deno.test("Disposing the host closes its pools", async () => {
  const test = await testHost();
  const pool = await test.host.pool<Api>(await test.plugin(code), { size: 1 });
  const task = pool.submit((api) => api.sleep(60_000));
  await test[Symbol.asyncDispose]();
  await assert.rejects(task.result, DisposedError);
});

Deno.test("warm has the next process of a plugin started in advance, and never shares it", async () => {
  await using test = await testHost({ warm: 1 });
  const path = await test.plugin(code);
  await using first = await test.host.load<Api>(path);
  const before = await childrenOnce((pids) => pids.size === 2);
  await using second = await test.host.load<Api>(path);
  assert.ok(before.has(pidOf(second)), "the second plugin runs in a process that was there before");
  assert.equal(await first.api.bump(), 1);
  assert.equal(await second.api.bump(), 1);
  await using other = await test.host.load<Api>(path, { permissions: { env: { LANG: "C" } } });
  assert.ok(
    !(await childrenOnce((pids) => pids.size >= 3) && before.has(pidOf(other))),
    "another policy, another process",
  );
});

Deno.test("Host.prewarm() has the first load find a sandbox that was started before, and no other plugin", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using _spares = await test.host.prewarm(path, { count: 2 });
  const before = await childrenOnce((pids) => pids.size === 2);
  await using other = await test.host.load<Api>(path, { limits: { memory: "64MiB" } });
  assert.ok(!before.has(pidOf(other)), "another policy, another process");
  await using first = await test.host.load<Api>(path);
  await using second = await test.host.load<Api>(path);
  assert.deepEqual(new Set([pidOf(first), pidOf(second)]), before);
  assert.deepEqual([await first.api.bump(), await second.api.bump()], [1, 1]);
});

Deno.test("Host.prewarm() ends what was not used when it is disposed, and refuses what a load would", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  const spares = await test.host.prewarm(path);
  await childrenOnce((pids) => pids.size === 1);
  await spares[Symbol.asyncDispose]();
  await childrenOnce((pids) => pids.size === 0);
  const broken = await test.plugin(`export const one = ;`);
  await assert.rejects(test.host.prewarm(broken, { count: 2 }), { name: "BundleError" });
  await assert.rejects(test.host.prewarm(path, { count: 0 }), { name: "ConfigError" });
  await childrenOnce((pids) => pids.size === 0);
});

Deno.test("Disposing the host ends the sandboxes that were started in advance", async () => {
  const test = await testHost({ warm: 2 });
  const plugin = await test.host.load<Api>(await test.plugin(code));
  await childrenOnce((pids) => pids.size === 2);
  await plugin.stop();
  await test[Symbol.asyncDispose]();
  await childrenOnce((pids) => pids.size === 0);
});

/** Pids of all processes that this one started, once they satisfy `wanted`. */
async function childrenOnce(wanted: (pids: ReadonlySet<number>) => boolean): Promise<ReadonlySet<number>> {
  for (const deadline = Date.now() + 20_000; Date.now() < deadline;) {
    const pids = new Set<number>();
    for (const { name } of Deno.readDirSync("/proc")) {
      if (/^\d+$/.test(name) && parentOf(name) === Deno.pid) pids.add(Number(name));
    }
    if (wanted(pids)) return pids;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.fail("the processes never were as expected");
}

/** Parent of a living process; 0 when it is gone meanwhile. */
function parentOf(pid: string): number {
  try {
    const status = Deno.readTextFileSync(`/proc/${pid}/status`);
    return /^State:\s+Z/m.test(status) ? 0 : Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || isNoSuchProcess(error)) return 0;
    throw error;
  }
}

/** Pid of the runtime below the process that was spawned. */
async function sandboxedPid(pid: number): Promise<number> {
  const children = (await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`)).trim().split(" ").filter(
    Boolean,
  );
  const [first] = children;
  return first === undefined ? pid : await sandboxedPid(Number(first));
}
