import assert from "node:assert/strict";
import { poolConfig } from "../../src/config/pool.ts";
import { PluginCrashedError } from "../../src/errors.ts";
import { Pool } from "../../src/supervisor/pool.ts";
import { settle } from "../util/fake_clock.ts";
import { controlled, FakeWorker, PoolHarness } from "./fake_workers.ts";

Deno.test("Pool.drain() settles when nothing waits or runs", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  await harness.pool.drain();
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.submit(task.work));
  let isDrained = false;
  const drained = harness.pool.drain().then(() => isDrained = true);
  tasks[0]?.finish("");
  await settle();
  assert.equal(isDrained, false);
  tasks[1]?.finish("");
  await drained;
  assert.deepEqual(results.map((task) => task.state), ["succeeded", "succeeded"]);
});

Deno.test("Pool.close() rejects what waits and runs, and what comes later", async () => {
  const harness = await PoolHarness.ready({ size: 1 });
  const task = controlled();
  const running = harness.pool.submit(task.work);
  const waiting = harness.pool.submit(() => 1);
  await harness[Symbol.asyncDispose]();
  for (const handle of [running, waiting, harness.pool.submit(() => 1)]) {
    await assert.rejects(handle.result, { name: "DisposedError" });
  }
});

Deno.test("Pool.close() finishes everything first when it drains", async () => {
  const harness = await PoolHarness.ready({ size: 1 });
  const results = Array.from({ length: 5 }, (_, index) => harness.pool.submit(() => index).result);
  const closing = harness.pool.close({ drain: true });
  await assert.rejects(harness.pool.execute(() => 1), { name: "DisposedError" });
  await closing;
  assert.deepEqual(await Promise.all(results), [0, 1, 2, 3, 4]);
});

Deno.test("Pool.close() during a start leaves no worker", async () => {
  const harness = new PoolHarness({ size: 3 });
  await harness[Symbol.asyncDispose]();
});

Deno.test("Pool.close() tells a start by its signal, and ends when a worker that came late has ended", async () => {
  const [started, ended] = [Promise.withResolvers<FakeWorker>(), Promise.withResolvers<void>()];
  let told: unknown;
  const pool = new Pool<FakeWorker>({
    name: "test",
    config: poolConfig({ size: 1 }),
    starter: () => (signal) => {
      signal.addEventListener("abort", () => told = signal.reason);
      return started.promise;
    },
  });
  let isClosed = false;
  const closed = pool.close().then(() => isClosed = true);
  assert.equal((told as Error).name, "DisposedError");
  const late = new FakeWorker(0);
  late.stop = () => ended.promise;
  started.resolve(late);
  await settle();
  assert.equal(isClosed, false);
  ended.resolve();
  await closed;
});

Deno.test("Pool.close() during a resize() rejects what surplus workers still do", async () => {
  await using harness = await PoolHarness.ready({ size: 2 });
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  const smaller = harness.pool.resize(1);
  const settled = Promise.allSettled(results);
  await harness.pool.close();
  await smaller;
  assert.deepEqual((await settled).map(({ status }) => status), ["rejected", "rejected"]);
});

Deno.test("Pool.close() rejects a task that tells only afterwards that its worker has died", async () => {
  const crash = new PluginCrashedError("gone", { reason: "signal", signal: "SIGKILL" });
  const harness = await PoolHarness.ready({ size: 1, restart: { backoff: () => 1 } });
  const { work, fail } = controlled();
  const lost = harness.pool.execute(work, { idempotent: true });
  harness.workers[0]!.die(crash);
  await settle();
  await harness[Symbol.asyncDispose]();
  fail(crash);
  await assert.rejects(lost, { name: "DisposedError" });
  assert.equal(harness.workers.length, 1);
});
