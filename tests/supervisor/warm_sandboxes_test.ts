import assert from "node:assert/strict";
import { type Spare, WarmSandboxes } from "../../src/supervisor/warm_sandboxes.ts";
import { settle } from "../util/fake_clock.ts";

class FakeSpare implements Spare {
  readonly #end = Promise.withResolvers<void>();
  readonly ended: Promise<void> = this.#end.promise;
  disposals = 0;

  constructor(readonly name: string) {}

  end(): void {
    this.#end.resolve();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.disposals++;
    this.end();
    return Promise.resolve();
  }
}

function warm(size: number) {
  const spares: FakeSpare[] = [];
  const sandboxes = new WarmSandboxes<FakeSpare>(size);
  const keep = (key: string) =>
    sandboxes.keep(key, () => {
      const spare = new FakeSpare(`${key}${spares.length}`);
      spares.push(spare);
      return Promise.resolve(spare);
    });
  return { sandboxes, spares, keep };
}

Deno.test("WarmSandboxes give a spare only for its own key, and only once", async () => {
  const { sandboxes, keep } = warm(2);
  keep("a");
  assert.equal(await sandboxes.take("b"), null);
  assert.equal((await sandboxes.take("a"))?.name, "a0");
  assert.equal(await sandboxes.take("a"), null);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes give the first of two concurrent takers the spare, and the other none", async () => {
  const { sandboxes, keep } = warm(1);
  keep("a");
  const taken = await Promise.all([sandboxes.take("a"), sandboxes.take("a")]);
  assert.deepEqual(taken.map((spare) => spare?.name), ["a0", undefined]);
});

Deno.test("WarmSandboxes do not give a spare that has ended, and leave nothing of it", async () => {
  const { sandboxes, keep, spares } = warm(2);
  keep("a");
  keep("a");
  await settle();
  spares[0]?.end();
  assert.equal((await sandboxes.take("a"))?.name, "a1");
  assert.equal(spares[0]?.disposals, 1);
});

Deno.test("WarmSandboxes go on when a start fails", async () => {
  const { sandboxes } = warm(1);
  sandboxes.keep("a", () => Promise.reject(new Error("no")));
  assert.equal(await sandboxes.take("a"), null);
});

Deno.test("WarmSandboxes keep no more than they may: what was wanted longest ago goes first", async () => {
  const { sandboxes, keep, spares } = warm(2);
  keep("a");
  keep("b");
  keep("c");
  await settle();
  assert.deepEqual(spares.map((spare) => spare.disposals), [1, 0, 0]);
  assert.equal(sandboxes.size, 2);
  assert.equal(sandboxes.isFull("c"), false);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes start nothing when none are wanted", async () => {
  const { sandboxes, keep, spares } = warm(0);
  keep("a");
  assert.deepEqual([spares.length, sandboxes.isFull("a")], [0, true]);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes leave nothing when they are disposed, also of a start that is under way", async () => {
  const sandboxes = new WarmSandboxes<FakeSpare>(2);
  const late = new FakeSpare("late");
  const started = Promise.withResolvers<FakeSpare>();
  let reason: unknown;
  sandboxes.keep("a", (signal) => {
    signal.addEventListener("abort", () => reason = signal.reason);
    return started.promise;
  });
  const disposing = sandboxes[Symbol.asyncDispose]();
  started.resolve(late);
  await disposing;
  assert.equal(late.disposals, 1);
  assert.ok(reason instanceof DOMException);
  sandboxes.keep("a", () => assert.fail("it must not start"));
});
