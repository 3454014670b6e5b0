import assert from "node:assert/strict";
import { PluginCrashedError } from "../../src/errors.ts";
import { type FakeWorker, PoolHarness } from "./fake_workers.ts";

const crash = () => new PluginCrashedError("gone", { reason: "signal", signal: "SIGKILL" });

/** Work that dies with its worker the first times, as a call of a process does. */
function dying(times: number) {
  const runs: number[] = [];
  const work = async (api: FakeWorker): Promise<number> => {
    runs.push(api.id);
    if (runs.length > times) return await Promise.resolve(api.id);
    api.isGone = true;
    api.die(crash());
    throw crash();
  };
  return { runs, work };
}

Deno.test("Pool runs an idempotent task once more, on another worker, when its worker dies under it", async () => {
  await using harness = await PoolHarness.ready({ size: 2, restart: { backoff: () => 1 } });
  const { runs, work } = dying(1);
  assert.equal(await harness.pool.execute(work, { idempotent: true }), 1);
  assert.deepEqual(runs, [0, 1]);
  const { succeeded, failed, repeated, submitted } = harness.pool.stats();
  assert.deepEqual([succeeded, failed, repeated, submitted], [1, 0, 1, 1]);
});

Deno.test("Pool runs an idempotent task twice at most", async () => {
  await using harness = await PoolHarness.ready({ size: 3, restart: { backoff: () => 1 } });
  const { runs, work } = dying(2);
  await assert.rejects(harness.pool.execute(work, { idempotent: true }), PluginCrashedError);
  assert.deepEqual(runs, [0, 1]);
});

Deno.test("Pool does not run a task again that did not say so", async () => {
  await using harness = await PoolHarness.ready({ size: 2, restart: { backoff: () => 1 } });
  const { runs, work } = dying(1);
  await assert.rejects(harness.pool.execute(work), PluginCrashedError);
  assert.deepEqual(runs, [0]);
});

Deno.test("Pool does not run a task again whose worker is alive: the crash was another plugin's", async () => {
  await using harness = await PoolHarness.ready({ size: 2 });
  let runs = 0;
  const work = () => {
    runs++;
    return Promise.reject(crash());
  };
  await assert.rejects(harness.pool.execute(work, { idempotent: true }), PluginCrashedError);
  assert.equal(runs, 1);
  assert.equal(harness.pool.stats().idle, 2);
});

Deno.test("Pool does not run a cancelled task again, and a closed pool none", async () => {
  const harness = await PoolHarness.ready({ size: 2, restart: { backoff: () => 1 } });
  const task = harness.pool.submit(async (api) => {
    await Promise.resolve();
    task.cancel("enough");
    api.die(crash());
    throw crash();
  }, { idempotent: true });
  await assert.rejects(task.result, (reason) => reason === "enough");
  const lost = harness.pool.execute((api) => {
    void harness.pool.close();
    api.die(crash());
    return Promise.reject(crash());
  }, { idempotent: true });
  await assert.rejects(lost, { name: "DisposedError" });
  await harness[Symbol.asyncDispose]();
});

Deno.test("Pool lets a task end well although its worker has died", async () => {
  await using harness = await PoolHarness.ready({ size: 2, restart: { backoff: () => 1 } });
  const { promise, resolve } = Promise.withResolvers<string>();
  const result = harness.pool.execute((api) => {
    api.die(crash());
    return promise;
  }, { idempotent: true });
  resolve("had its answer already");
  assert.equal(await result, "had its answer already");
});
