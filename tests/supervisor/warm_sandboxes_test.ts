import assert from "node:assert/strict";
import { type Spare, WarmSandboxes } from "../../src/supervisor/warm_sandboxes.ts";
import { FakeClock, settle } from "../util/fake_clock.ts";

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
  const clock = new FakeClock();
  const sandboxes = new WarmSandboxes<FakeSpare>(size, clock);
  const keepLater = (key: string) =>
    sandboxes.keep(key, () => {
      const spare = new FakeSpare(`${key}${spares.length}`);
      spares.push(spare);
      return Promise.resolve(spare);
    });
  const keep = async (key: string) => {
    keepLater(key);
    await clock.advance(1_000);
  };
  return { clock, sandboxes, spares, keep, keepLater };
}

Deno.test("WarmSandboxes give a spare only for its own key, and only once", async () => {
  const { sandboxes, keep } = warm(2);
  await keep("a");
  assert.equal(await sandboxes.take("b"), null);
  assert.equal((await sandboxes.take("a"))?.name, "a0");
  assert.equal(await sandboxes.take("a"), null);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes give the first of two concurrent takers the spare, and the other none", async () => {
  const { sandboxes, keep } = warm(1);
  await keep("a");
  const taken = await Promise.all([sandboxes.take("a"), sandboxes.take("a")]);
  assert.deepEqual(taken.map((spare) => spare?.name), ["a0", undefined]);
});

Deno.test("WarmSandboxes do not give a spare that has ended, and leave nothing of it", async () => {
  const { sandboxes, keep, spares } = warm(2);
  await keep("a");
  await keep("a");
  await settle();
  spares[0]?.end();
  assert.equal((await sandboxes.take("a"))?.name, "a1");
  assert.equal(spares[0]?.disposals, 1);
});

Deno.test("WarmSandboxes go on when a start fails", async () => {
  const { clock, sandboxes } = warm(1);
  sandboxes.keep("a", () => Promise.reject(new Error("no")));
  await clock.advance(1_000);
  assert.equal(await sandboxes.take("a"), null);
});

Deno.test("WarmSandboxes keep no more than they may: what was wanted longest ago goes first", async () => {
  const { sandboxes, keep, spares } = warm(2);
  await keep("a");
  await keep("b");
  await keep("c");
  await settle();
  assert.deepEqual(spares.map((spare) => spare.disposals), [1, 0, 0]);
  assert.equal(sandboxes.size, 2);
  assert.equal(sandboxes.isFull("c"), false);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes start nothing when none are wanted", async () => {
  const { sandboxes, keep, spares } = warm(0);
  await keep("a");
  assert.deepEqual([spares.length, sandboxes.isFull("a")], [0, true]);
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes leave nothing when they are disposed, also of a start that is under way", async () => {
  const clock = new FakeClock();
  const sandboxes = new WarmSandboxes<FakeSpare>(2, clock);
  const late = new FakeSpare("late");
  const started = Promise.withResolvers<FakeSpare>();
  let reason: unknown;
  sandboxes.keep("a", (signal) => {
    signal.addEventListener("abort", () => reason = signal.reason);
    return started.promise;
  });
  await clock.advance(1_000);
  const disposing = sandboxes[Symbol.asyncDispose]();
  started.resolve(late);
  await disposing;
  assert.equal(late.disposals, 1);
  assert.ok(reason instanceof DOMException);
  sandboxes.keep("a", () => assert.fail("it must not start"));
});

Deno.test("WarmSandboxes start nothing in the moment after a load, and nothing that was wanted before it began", async () => {
  const { clock, sandboxes, keepLater, spares } = warm(1);
  keepLater("a");
  await settle();
  assert.deepEqual([spares.length, clock.pending], [0, 1]);
  assert.equal(await sandboxes.take("a"), null);
  await clock.advance(1_000);
  assert.deepEqual([spares.length, clock.pending, sandboxes.size], [0, 0, 0]);
  keepLater("a");
  await sandboxes[Symbol.asyncDispose]();
  assert.deepEqual([spares.length, clock.pending], [0, 0]);
});

Deno.test("WarmSandboxes keep what was asked for until it is taken, whatever else comes", async () => {
  const { sandboxes, keep } = warm(1);
  const asked = new FakeSpare("asked");
  const held = await sandboxes.add("a", asked);
  await keep("b");
  await keep("c");
  assert.deepEqual([sandboxes.size, sandboxes.isFull("a"), asked.disposals], [2, false, 0]);
  assert.equal(await sandboxes.take("a"), asked);
  await held[Symbol.asyncDispose]();
  assert.equal(asked.disposals, 0, "whoever took it owns it");
  await sandboxes[Symbol.asyncDispose]();
});

Deno.test("WarmSandboxes end what was asked for when it is given back, or they are disposed", async () => {
  const { sandboxes } = warm(0);
  const spares = ["first", "second", "late"].map((name) => new FakeSpare(name));
  const held = await sandboxes.add("a", spares[0]!);
  await sandboxes.add("a", spares[1]!);
  await held[Symbol.asyncDispose]();
  assert.deepEqual(spares.map((spare) => spare.disposals), [1, 0, 0]);
  await sandboxes[Symbol.asyncDispose]();
  await assert.rejects(sandboxes.add("a", spares[2]!), { name: "AbortError" });
  assert.deepEqual(spares.map((spare) => spare.disposals), [1, 1, 1]);
});
