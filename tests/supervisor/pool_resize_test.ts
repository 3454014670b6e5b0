import assert from "node:assert/strict";
import { settle } from "../util/fake_clock.ts";
import { controlled, PoolHarness } from "./fake_workers.ts";

Deno.test("Pool.resize() starts more workers, which take what waits", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const tasks = [controlled(), controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  assert.deepEqual(tasks.map((task) => task.runs.length), [1, 0, 0]);
  await harness.pool.resize(3);
  await settle();
  assert.deepEqual(tasks.map((task) => task.runs[0]?.worker), [0, 1, 2]);
  tasks.forEach((task) => task.finish("done"));
  await Promise.all(results);
  assert.equal(harness.pool.stats().size, 3);
});

Deno.test("Pool.resize() ends idle workers first, and lets busy ones finish", async () => {
  await using harness = await PoolHarness.ready({ size: 3 });
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  const smaller = harness.pool.resize(1);
  await settle();
  assert.deepEqual(harness.workers.map((worker) => worker.stops), [0, 0, 1]);
  const { size, running } = harness.pool.stats();
  assert.deepEqual([size, running], [2, 2], "the one that finishes still counts");
  const waiting = harness.pool.execute((api) => api.id);
  tasks.forEach((task, index) => task.finish(`result ${index}`));
  assert.deepEqual(await Promise.all(results), ["result 0", "result 1"]);
  await smaller;
  const kept = harness.workers.findIndex((worker) => worker.stops === 0);
  assert.equal(await waiting, kept);
  assert.equal(harness.pool.stats().size, 1);
});

Deno.test("Pool.resize() does not replace a surplus worker that dies while it finishes", async () => {
  await using harness = await PoolHarness.ready({ size: 2 });
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  const smaller = harness.pool.resize(1);
  const [surplus] = tasks.map((task) => task.runs[0]!.worker);
  harness.workers[surplus!]!.die();
  await assert.rejects(results[surplus!]!, { message: `worker ${surplus} died` });
  await smaller;
  tasks.forEach((task) => task.finish("done"));
  await Promise.allSettled(results);
  await harness.clock.advance(60_000);
  assert.equal(harness.workers.length, 2, "no third worker was started");
});

Deno.test("Pool.resize() takes bounds, refuses nonsense, and a closed pool stays closed", async () => {
  const harness = await PoolHarness.ready({ size: 1 });
  await harness.pool.resize({ minSize: 0, maxSize: 2 });
  await harness.clock.advance(300_000);
  assert.equal(harness.pool.stats().size, 0, "an idle worker beyond the new smallest size has ended");
  await assert.rejects(harness.pool.resize(0), { name: "ConfigError" });
  await assert.rejects(harness.pool.resize({ minSize: 3, maxSize: 2 }), { name: "ConfigError" });
  await harness[Symbol.asyncDispose]();
  await assert.rejects(harness.pool.resize(2), { name: "DisposedError" });
});
