import assert from "node:assert/strict";
import { settle } from "../util/fake_clock.ts";
import { controlled, PoolHarness } from "./fake_workers.ts";

/** More microtasks than a reload with fake workers takes. */
const MOMENTS = 30;

async function ticks(count: number): Promise<void> {
  for (let tick = 0; tick < count; tick++) await undefined;
}

/** Which code runs, by all workers at once. */
async function codes({ pool }: PoolHarness, count: number): Promise<number[]> {
  const gate = Promise.withResolvers<void>();
  const results = Array.from({ length: count }, () =>
    pool.execute(async ({ code }) => {
      await gate.promise;
      return code;
    }));
  await settle();
  gate.resolve();
  return await Promise.all(results);
}

Deno.test("Pool starts every worker with the code of the first, until it is reloaded", async () => {
  await using harness = await PoolHarness.ready({
    size: 2,
    restart: { backoff: () => 10 },
  });
  harness.workers[0]!.die();
  await settle();
  harness.clock.advance(10);
  await settle();
  assert.equal(harness.workers.length, 3);
  assert.deepEqual(await codes(harness, 2), [0, 0]);
  assert.equal(harness.codes, 1);
  await harness.pool.reload();
  assert.equal(harness.codes, 2);
  assert.deepEqual(await codes(harness, 2), [1, 1]);
  harness.workers.at(-1)!.die();
  await settle();
  harness.clock.advance(10);
  await settle();
  assert.deepEqual(await codes(harness, 2), [1, 1]);
});

Deno.test("Pool.reload() lets busy workers finish, and runs what waits on new ones", async () => {
  await using harness = await PoolHarness.ready({ size: 2 });
  const tasks = [controlled(), controlled()];
  const running = tasks.map((task) => harness.pool.execute(task.work));
  const waiting = harness.pool.execute(({ code }) => code);
  let isReloaded = false;
  const reloaded = harness.pool.reload().then(() => isReloaded = true);
  assert.equal(await waiting, 1);
  assert.deepEqual(harness.workers.map(({ code, stops }) => [code, stops]), [[0, 0], [0, 0], [1, 0], [1, 0]]);
  tasks[0]!.finish("first");
  await settle();
  assert.deepEqual(harness.workers.map(({ stops }) => stops), [1, 0, 0, 0]);
  assert.equal(isReloaded, false);
  tasks[1]!.finish("second");
  await reloaded;
  assert.deepEqual(await Promise.all(running), ["first", "second"]);
  assert.deepEqual(harness.workers.map(({ stops }) => stops), [1, 1, 0, 0]);
  assert.equal(harness.pool.stats().size, 2);
});

Deno.test("Pool.reload() that fails leaves everything as it was", async () => {
  await using harness = await PoolHarness.ready({
    size: 2,
    restart: { backoff: () => 10 },
  });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const error = new Error("broken code");
  harness.startErrors.push(error);
  await assert.rejects(harness.pool.reload(), (thrown) => thrown === error);
  // The one that did start has ended.
  assert.deepEqual(harness.workers.map(({ code, stops }) => [code, stops]), [[0, 0], [0, 0], [1, 1]]);
  task.finish("ran");
  assert.equal(await running, "ran");
  assert.equal(harness.pool.stats().crashes, 0);
  harness.workers[1]!.die();
  await settle();
  harness.clock.advance(10);
  await settle();
  assert.deepEqual(await codes(harness, 2), [0, 0]);
});

Deno.test("Pool.reload() runs one after another, each with the code as it is then", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  await Promise.all([harness.pool.reload(), harness.pool.reload()]);
  assert.deepEqual(harness.workers.map(({ code, stops }) => [code, stops]), [[0, 1], [1, 1], [2, 0]]);
  harness.startErrors.push(new Error("no"));
  const results = await Promise.allSettled([harness.pool.reload(), harness.pool.reload()]);
  assert.deepEqual(results.map(({ status }) => status), ["rejected", "fulfilled"]);
  assert.deepEqual(await codes(harness, 1), [4]);
});

Deno.test("Pool.reload() begins when the one before has ended", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const reloads = [harness.pool.reload(), harness.pool.reload()];
  await settle();
  assert.equal(harness.codes, 2, "the first waits for the task, the second for the first");
  task.finish("ran");
  await Promise.all([running, ...reloads]);
  assert.equal(harness.codes, 3);
});

Deno.test("Pool.reload() keeps to sizes that change meanwhile, at any moment", async () => {
  for (const size of [1, 4]) {
    for (let moment = 0; moment < MOMENTS; moment++) {
      await using harness = await PoolHarness.ready({ size: 2 });
      const reloaded = harness.pool.reload();
      await ticks(moment);
      await Promise.all([reloaded, harness.pool.resize(size)]);
      await settle();
      assert.equal(harness.pool.stats().size, size, `resized after ${moment} ticks`);
      assert.deepEqual(await codes(harness, size), Array.from({ length: size }, () => 1));
    }
  }
});

Deno.test("Pool.reload() heals a pool whose workers were all quarantined", async () => {
  await using harness = await PoolHarness.ready({ size: 2, restart: false });
  for (const worker of harness.workers) worker.die();
  await settle();
  await assert.rejects(harness.pool.execute(() => 1), { name: "PoolBrokenError" });
  await harness.pool.reload();
  assert.deepEqual(await codes(harness, 2), [1, 1]);
});

Deno.test("Pool.reload() tries the new code in a pool that has no worker", async () => {
  await using harness = await PoolHarness.ready({ minSize: 0, maxSize: 2 });
  const error = new Error("broken code");
  harness.startErrors.push(error);
  await assert.rejects(harness.pool.reload(), (thrown) => thrown === error);
  await harness.pool.reload();
  assert.deepEqual(await codes(harness, 2), [2, 2]);
});

Deno.test("Pool.close() during a reload ends both generations, at any moment", async () => {
  const outcomes = new Set<string>();
  for (let moment = 0; moment < MOMENTS; moment++) {
    const harness = await PoolHarness.ready({ size: 2 });
    const reloading = harness.pool.reload().then(() => "reloaded", (error: Error) => error.name);
    await ticks(moment);
    // It complains about workers that are left.
    await harness[Symbol.asyncDispose]();
    outcomes.add(await reloading);
    await assert.rejects(harness.pool.reload(), { name: "DisposedError" });
  }
  assert.deepEqual([...outcomes], ["DisposedError", "reloaded"]);
});
