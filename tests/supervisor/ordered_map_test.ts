import assert from "node:assert/strict";
import { orderedMap } from "../../src/supervisor/ordered_map.ts";
import { settle } from "../util/fake_clock.ts";

Deno.test("orderedMap() hands a result on although the source is slow to give the next item", async () => {
  const more = Promise.withResolvers<void>();
  const source = (async function* () {
    yield 1;
    await more.promise;
    yield 2;
  })();
  const mapped = orderedMap(source, (item) => Promise.resolve(item * 10), { concurrency: 4 });
  assert.deepEqual(await mapped.next(), { done: false, value: 10 });
  more.resolve();
  assert.deepEqual(await mapped.next(), { done: false, value: 20 });
  assert.equal((await mapped.next()).done, true);
});

Deno.test("orderedMap() reads no further ahead than its concurrency", async () => {
  let read = 0;
  const source = (function* () {
    for (;;) yield read++;
  })();
  const mapped = orderedMap(source, (item) => Promise.resolve(item), { concurrency: 3 });
  await mapped.next();
  await settle();
  assert.ok(read <= 3, `${read} items were read`);
  await mapped.return();
});

Deno.test("orderedMap() closes its source and cancels what is in work when the loop is left", async () => {
  let isClosed = false;
  const source = (function* () {
    try {
      for (let item = 0;; item++) yield item;
    } finally {
      isClosed = true;
    }
  })();
  const signals: AbortSignal[] = [];
  const work = (item: number, _index: number, signal: AbortSignal) => {
    signals.push(signal);
    return item === 0 ? Promise.resolve(item) : new Promise<number>(() => {});
  };
  for await (const _result of orderedMap(source, work, { concurrency: 3 })) break;
  assert.ok(isClosed);
  assert.ok(signals.every((signal) => signal.aborted));
});

Deno.test("orderedMap() ends with the signal's reason, also while the source is silent", async () => {
  const controller = new AbortController();
  const silent: AsyncIterable<number> = {
    [Symbol.asyncIterator]: () => ({ next: () => new Promise<IteratorResult<number>>(() => {}) }),
  };
  const next = orderedMap(silent, (item) => Promise.resolve(item), { signal: controller.signal }).next();
  controller.abort("enough");
  await assert.rejects(next, (reason) => reason === "enough");
});

Deno.test("orderedMap() passes on what the source throws", async () => {
  const source = (function* () {
    yield 1;
    throw new Error("broken source");
  })();
  const seen: number[] = [];
  await assert.rejects(async () => {
    for await (const result of orderedMap(source, (item) => Promise.resolve(item))) seen.push(result);
  }, { message: "broken source" });
  assert.deepEqual(seen, [1]);
});

for (const concurrency of [0, 1.5, Number.NaN]) {
  Deno.test(`orderedMap() refuses a concurrency of ${concurrency}`, async () => {
    await assert.rejects(orderedMap([1], (item) => Promise.resolve(item), { concurrency }).next(), {
      name: "RangeError",
      message: `Cannot use "concurrency" as a number of tasks: it is ${concurrency}`,
    });
  });
}
