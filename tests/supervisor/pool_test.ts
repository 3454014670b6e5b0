import assert from "node:assert/strict";
import fc from "fast-check";
import { settle } from "../util/fake_clock.ts";
import { controlled, PoolHarness } from "./fake_workers.ts";

Deno.test("Pool.execute() runs on the least loaded worker and returns the result", async () => {
  await using harness = await PoolHarness.ready({ size: 2, tasksAtOnce: 2 });
  const tasks = Array.from({ length: 4 }, () => controlled());
  const results = tasks.map((task) => harness.pool.execute(task.work));
  assert.deepEqual(tasks.map((task) => task.runs[0]?.worker), [0, 1, 0, 1]);
  tasks.forEach((task, index) => task.finish(`result ${index}`));
  assert.deepEqual(await Promise.all(results), ["result 0", "result 1", "result 2", "result 3"]);
});

Deno.test("Pool.execute() passes on what the task throws, and the worker goes on", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const error = new Error("no");
  await assert.rejects(harness.pool.execute(() => Promise.reject(error)), (thrown) => thrown === error);
  assert.equal(await harness.pool.execute((api) => api.id), 0);
});

Deno.test("Pool takes waiting tasks by priority, then in their order", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const first = controlled();
  const order: string[] = [];
  const blocked = harness.pool.execute(first.work);
  const rest = ([["a", 0], ["urgent", 9], ["b", 0], ["low", -1]] as const).map(([name, priority]) =>
    harness.pool.execute(() => void order.push(name), { priority })
  );
  first.finish("");
  await Promise.all([blocked, ...rest]);
  assert.deepEqual(order, ["urgent", "a", "b", "low"]);
});

Deno.test("Pool rejects beyond its queue when told to", async () => {
  await using harness = await PoolHarness.ready({ size: 1, queueSize: 1, onQueueFull: "reject" });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const waiting = harness.pool.execute(() => "waited");
  await assert.rejects(harness.pool.execute(() => "too many"), {
    name: "PoolSaturatedError",
    message: 'Cannot run a task on pool "test" as asked: 1 tasks wait already',
  });
  task.finish("ran");
  assert.deepEqual(await Promise.all([running, waiting]), ["ran", "waited"]);
});

Deno.test("Pool drops the oldest of the least urgent when told to", async () => {
  await using harness = await PoolHarness.ready({ size: 1, queueSize: 2, onQueueFull: "drop-oldest" });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const oldest = harness.pool.submit(() => "oldest");
  const urgent = harness.pool.submit(() => "urgent", { priority: 1 });
  const newest = harness.pool.submit(() => "newest");
  await assert.rejects(oldest.result, { name: "PoolSaturatedError" });
  task.finish("ran");
  assert.deepEqual(await Promise.all([running, urgent.result, newest.result]), ["ran", "urgent", "newest"]);
  assert.equal(harness.pool.stats().dropped, 1);
});

Deno.test("Pool lets execute() wait and refuses submit() by default", async () => {
  await using harness = await PoolHarness.ready({ size: 1, queueSize: 0 });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const waiting = harness.pool.execute(() => "waited");
  const refused = harness.pool.submit(() => "refused");
  await assert.rejects(refused.result, { name: "PoolSaturatedError" });
  assert.equal(refused.state, "failed");
  task.finish("ran");
  assert.deepEqual(await Promise.all([running, waiting]), ["ran", "waited"]);
});

Deno.test("Pool rejects a task that got no worker in time", async () => {
  await using harness = await PoolHarness.ready({ size: 1, acquireTimeoutMs: 500 });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const starved = harness.pool.submit(() => "never");
  await harness.clock.advance(500);
  await assert.rejects(starved.result, {
    name: "PoolSaturatedError",
    message: 'Cannot run a task on pool "test" as asked: no worker was free within 500 ms',
  });
  task.finish("ran long, but ran");
  await running;
  assert.equal(harness.pool.stats().starved, 1);
});

Deno.test("Pool rejects a task that runs too long, and kills its worker only if it does not let go", async () => {
  await using harness = await PoolHarness.ready({ size: 1, taskTimeoutMs: 100, cancelGraceMs: 50 });
  const polite = controlled();
  const first = harness.pool.submit(polite.work);
  await harness.clock.advance(100);
  await assert.rejects(first.result, { name: "CallTimeoutError", timeoutMs: 100 });
  assert.equal(polite.runs[0]?.signal.aborted, true);
  polite.fail(new Error("let go"));
  await harness.clock.advance(1_000);
  assert.deepEqual(harness.workers.map((worker) => worker.kills.length), [0]);

  const stubborn = controlled();
  const second = harness.pool.submit(stubborn.work);
  const queued = harness.pool.execute((api) => api.id);
  await harness.clock.advance(149);
  assert.equal(harness.workers[0]?.kills.length, 0);
  await harness.clock.advance(1);
  assert.equal(harness.workers[0]?.kills.length, 1);
  await assert.rejects(second.result, { name: "CallTimeoutError" });
  assert.equal(await queued, 1, "the replacement serves the next task, without a backoff");
  assert.equal(harness.pool.stats().crashes, 0);
  assert.equal(harness.pool.stats().timedOut, 2);
  harness.workers[1]?.die();
  await settle();
  assert.equal(harness.pool.stats().crashes, 1, "that the pool killed one excuses no other");
});

Deno.test("Pool takes a task out of the queue when its signal aborts", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const task = controlled();
  const running = harness.pool.execute(task.work);
  const controller = new AbortController();
  let hasRun = false;
  const waiting = harness.pool.execute(() => void (hasRun = true), { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(waiting, (reason) => reason === "enough");
  assert.equal(harness.pool.stats().queued, 0);
  task.finish("");
  await running;
  await settle();
  assert.equal(hasRun, false);
});

Deno.test("Pool refuses a task whose signal has aborted before", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const signal = AbortSignal.abort("before");
  await assert.rejects(harness.pool.execute(() => 1, { signal }), (reason) => reason === "before");
});

Deno.test("TaskHandle.cancel() tells a running task by its signal", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const task = controlled();
  const handle = harness.pool.submit(task.work);
  assert.equal(handle.state, "running");
  handle.cancel();
  await assert.rejects(handle.result, { name: "AbortError" });
  assert.equal(task.runs[0]?.signal.aborted, true);
  task.finish("too late");
  await settle();
  assert.equal(handle.state, "failed");
});

Deno.test("Pool rejects only the tasks of the worker that died, each once, and runs none again", async () => {
  await using harness = await PoolHarness.ready({ size: 2, tasksAtOnce: 2 });
  const tasks = Array.from({ length: 4 }, () => controlled());
  const handles = tasks.map((task) => harness.pool.submit(task.work));
  const death = new Error("SIGSEGV");
  harness.workers[0]?.die(death);
  await assert.rejects(handles[0]?.result ?? Promise.resolve(), (error) => error === death);
  await assert.rejects(handles[2]?.result ?? Promise.resolve(), (error) => error === death);
  tasks[1]?.finish("one");
  tasks[3]?.finish("three");
  assert.deepEqual(await Promise.all([handles[1]?.result, handles[3]?.result]), ["one", "three"]);
  await harness.clock.advance(10_000);
  assert.deepEqual(tasks.map((task) => task.runs.length), [1, 1, 1, 1]);
  assert.equal(harness.workers.length, 3);
});

Deno.test("Pool replaces a crashed worker after its backoff, and tasks wait for it", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  harness.workers[0]?.die();
  await settle();
  assert.equal(harness.pool.stats().restarting, 1);
  const waiting = harness.pool.execute((api) => api.id);
  await harness.clock.advance(99);
  assert.equal(harness.workers.length, 1);
  await harness.clock.advance(1);
  assert.equal(await waiting, 1);
});

Deno.test("Pool is broken when every worker is quarantined, rejects what waits with the cause, and can be revived", async () => {
  await using harness = await PoolHarness.ready({ size: 1, restart: { maxRestarts: 0 } });
  const task = controlled();
  const running = harness.pool.submit(task.work);
  const waiting = harness.pool.submit(() => 1);
  const death = new Error("SIGSEGV");
  harness.workers[0]?.die(death);
  await assert.rejects(running.result, (error) => error === death);
  const broken = { name: "PoolBrokenError", cause: death };
  await assert.rejects(waiting.result, broken);
  await assert.rejects(harness.pool.execute(() => 1), broken);
  harness.pool.revive();
  await settle();
  assert.equal(await harness.pool.execute((api) => api.id), 1);
});

Deno.test("Pool counts a start that fails as a crash", async () => {
  await using harness = new PoolHarness({ minSize: 0, maxSize: 1, restart: { maxRestarts: 1 } });
  harness.startErrors.push(new Error("first"), new Error("second"));
  const waiting = harness.pool.submit(() => 1);
  await harness.clock.advance(100);
  await assert.rejects(waiting.result, (error: Error) => (error.cause as Error).message === "second");
  assert.deepEqual([harness.pool.stats().crashes, harness.pool.stats().quarantined], [2, 1]);
});

Deno.test("Pool does not replace a crashed worker when restarts are off", async () => {
  await using harness = await PoolHarness.ready({ size: 2, restart: false });
  harness.workers[0]?.die();
  await harness.clock.advance(100_000);
  assert.equal(harness.workers.length, 2);
  assert.equal(await harness.pool.execute((api) => api.id), 1);
});

Deno.test("Pool replaces a worker after its share of tasks", async () => {
  await using harness = await PoolHarness.ready({ size: 1, maxTasksPerWorker: 2 });
  const ids: number[] = [];
  for (let count = 0; count < 5; count++) ids.push(await harness.pool.execute((api) => api.id));
  assert.deepEqual(ids, [0, 0, 1, 1, 2]);
  assert.equal(harness.pool.stats().recycled, 2);
});

Deno.test("Pool replaces a worker that uses too much memory, and not one that uses little", async () => {
  await using harness = await PoolHarness.ready({ size: 1, maxWorkerMemory: "1MiB" });
  const grow = (bytes: number | null) =>
    harness.pool.execute((api) => {
      api.memory = bytes;
      return api.id;
    });
  assert.equal(await grow(2 ** 20), 0);
  assert.equal(await grow(null), 0);
  assert.equal(await grow(2 ** 20 + 1), 0);
  await settle();
  assert.equal(await grow(1), 1);
});

Deno.test("Pool grows with its queue up to its bound and shrinks when idle", async () => {
  await using harness = await PoolHarness.ready({ minSize: 1, maxSize: 3, maxIdleMs: 1_000 });
  const tasks = Array.from({ length: 5 }, () => controlled());
  const results = tasks.map((task) => harness.pool.execute(task.work));
  await settle();
  assert.equal(harness.workers.length, 3);
  for (const task of tasks) task.finish("");
  await Promise.all(results);
  await harness.clock.advance(999);
  assert.equal(harness.pool.stats().size, 3);
  await harness.clock.advance(1);
  assert.equal(harness.pool.stats().size, 1);
});

Deno.test("Pool shrinks under a light load too: an idle worker does not wait for the others", async () => {
  await using harness = await PoolHarness.ready({ minSize: 1, maxSize: 2, maxIdleMs: 1_000 });
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  await settle();
  for (const task of tasks) task.finish("");
  await Promise.all(results);
  for (let count = 0; count < 10; count++) {
    await harness.clock.advance(200);
    await harness.pool.execute(() => 1);
  }
  assert.equal(harness.pool.stats().size, 1);
});

Deno.test("Pool starts no worker for a task that one is starting for already", async () => {
  await using harness = await PoolHarness.ready({ minSize: 0, maxSize: 4 });
  const tasks = [controlled(), controlled()];
  const results = tasks.map((task) => harness.pool.execute(task.work));
  await settle();
  assert.equal(harness.workers.length, 2);
  tasks.forEach((task) => task.finish("done"));
  await Promise.all(results);
});

Deno.test("Pool without workers starts one for the first task", async () => {
  await using harness = await PoolHarness.ready({ minSize: 0, maxSize: 2 });
  assert.equal(harness.workers.length, 0);
  assert.equal(await harness.pool.execute((api) => api.id), 0);
});

Deno.test("Pool.map() yields in order with bounded concurrency, each item exactly once", async () => {
  await using harness = await PoolHarness.ready({ size: 4 });
  let running = 0;
  let most = 0;
  const seen = new Map<number, number>();
  const results: number[] = [];
  const items = (async function* () {
    for (let item = 0; item < 1_000; item++) yield item;
  })();
  for await (
    const result of harness.pool.map(items, async (_api, item) => {
      most = Math.max(most, ++running);
      seen.set(item, (seen.get(item) ?? 0) + 1);
      if (item % 7 === 0 || item < 20) await settle();
      running--;
      return item * 2;
    })
  ) results.push(result);
  assert.deepEqual(results, Array.from({ length: 1_000 }, (_, item) => item * 2));
  assert.ok([...seen.values()].every((count) => count === 1));
  assert.equal(most, 4);
});

Deno.test("Pool.map() ends with the first error and cancels the rest", async () => {
  await using harness = await PoolHarness.ready({ size: 2 });
  const signals: AbortSignal[] = [];
  const hanging = (signal: AbortSignal) => {
    const { promise, reject } = Promise.withResolvers<number>();
    signal.addEventListener("abort", () => reject(signal.reason));
    return promise;
  };
  const mapped = harness.pool.map([0, 1, 2], (_api, item, _index, signal) => {
    signals.push(signal);
    return item === 0 ? Promise.reject(new Error("bad item")) : hanging(signal);
  });
  await assert.rejects(mapped.next(), { message: "bad item" });
  await settle();
  assert.ok(signals.slice(1).every((signal) => signal.aborted));
  await harness.pool.drain();
});

Deno.test("Pool loses no task and runs none twice while its workers die at random", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.nat(9), { minLength: 20, maxLength: 60 }), async (steps) => {
      await using harness = await PoolHarness.ready({
        size: 3,
        restart: { maxRestarts: 1_000, backoff: () => 1 },
      });
      const runs: number[] = [];
      const settled: PromiseSettledResult<number>[] = [];
      const tasks: ReturnType<typeof controlled>[] = [];
      const results = steps.map((step, index) => {
        const task = controlled();
        tasks.push(task);
        const result = harness.pool.execute(async (api, signal) => {
          runs[index] = (runs[index] ?? 0) + 1;
          await task.work(api, signal);
          return index;
        });
        if (step === 0) harness.workers.at(-1)?.die();
        if (step === 1) harness.workers.at(-2)?.die();
        return result;
      });
      const all = Promise.allSettled(results).then((outcomes) => settled.push(...outcomes));
      for (const task of tasks) {
        await harness.clock.advance(1);
        task.finish("");
      }
      await harness.clock.advance(100);
      await all;
      assert.ok(runs.every((count) => count === 1));
      const succeeded = settled.filter((outcome) => outcome.status === "fulfilled").length;
      const stats = harness.pool.stats();
      assert.deepEqual([stats.submitted, stats.succeeded, stats.succeeded + stats.failed], [
        steps.length,
        succeeded,
        steps.length,
      ]);
    }),
    { numRuns: 15 },
  );
});
