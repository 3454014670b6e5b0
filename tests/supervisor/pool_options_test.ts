import assert from "node:assert/strict";
import { PoolHarness } from "./fake_workers.ts";

/** What is no option of a task, with the error that says so. */
const REFUSED: readonly (readonly [options: unknown, path: string, says: RegExp])[] = [
  [{ timeOutMs: 10 }, "timeOutMs", /timeoutMs/],
  [{ timeoutMs: "10" }, "timeoutMs", /number of milliseconds/],
  [{ timeoutMs: Infinity }, "timeoutMs", /number of milliseconds/],
  [{ acquireTimeoutMs: -1 }, "acquireTimeoutMs", /number of milliseconds/],
  [{ priority: NaN }, "priority", /number/],
  [{ idempotent: 1 }, "idempotent", /true or false/],
  [{ signal: {} }, "signal", /AbortSignal/],
  ["fast", "options", /object of options/],
];

for (const [options, path, says] of REFUSED) {
  const text = typeof options === "string"
    ? options
    : Object.entries(options as object).flat().map(String).join(" ");
  Deno.test(`Pool refuses the options of a task: ${text}`, async () => {
    await using harness = await PoolHarness.ready({ size: 1 });
    let runs = 0;
    const work = () => ++runs;
    const error = (thrown: Error) => {
      assert.deepEqual([thrown.name, (thrown as Error & { path: string }).path], ["ConfigError", path]);
      assert.match(`${thrown.message} ${(thrown as Error & { hint?: string }).hint}`, says);
      return true;
    };
    await assert.rejects(harness.pool.execute(work, options as never), error);
    assert.throws(() => harness.pool.submit(work, options as never), error);
    assert.throws(() => harness.pool.map([1], work, options as never), error);
    await harness.pool.drain();
    assert.equal(runs, 0);
    assert.equal(harness.pool.stats().submitted, 0);
  });
}

Deno.test("Pool.map() refuses a concurrency of 0 and tasks a concurrency at all", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  const work = (): number => 1;
  assert.throws(() => harness.pool.map([1], work, { concurrency: 0 }), {
    name: "ConfigError",
    path: "concurrency",
  });
  await assert.rejects(harness.pool.execute(work, { concurrency: 1 } as never), { name: "ConfigError" });
});

Deno.test("Pool.close() refuses a misspelt option and stays open", async () => {
  await using harness = await PoolHarness.ready({ size: 1 });
  assert.throws(() => harness.pool.close({ drian: true } as never), { name: "ConfigError", path: "drian" });
  assert.equal(await harness.pool.execute(() => "open"), "open");
});
