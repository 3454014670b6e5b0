import assert from "node:assert/strict";
import { watchConfig } from "../../src/config/watch.ts";
import type { FileChange } from "../../src/config/types.ts";
import { Debouncer } from "../../src/supervisor/debouncer.ts";
import { FakeClock } from "../util/fake_clock.ts";

function debounced(debounce: unknown) {
  const clock = new FakeClock();
  const bursts: number[][] = [];
  const { debounce: config } = watchConfig({ debounce }, "watch");
  const debouncer = new Debouncer(
    clock,
    config,
    (changes) => bursts.push(changes.map((change) => change.at)),
  );
  const change = (): FileChange => ({ path: "/a.ts", kind: "modify", at: clock.now() });
  return { clock, bursts, debouncer, touch: () => debouncer.push(change()) };
}

Deno.test("Debouncer delivers ten changes as one burst, after the last of them", async () => {
  const { clock, bursts, touch } = debounced(500);
  for (let count = 0; count < 10; count++) {
    touch();
    await clock.advance(100);
  }
  await clock.advance(399);
  assert.deepEqual(bursts, []);
  await clock.advance(1);
  assert.deepEqual(bursts, [[0, 100, 200, 300, 400, 500, 600, 700, 800, 900]]);
  await clock.advance(10_000);
  assert.equal(bursts.length, 1);
});

Deno.test("Debouncer adapts to the rhythm of the changes, within its bounds", async () => {
  const { clock, bursts, touch } = debounced({ minMs: 200, maxMs: 1_000 });
  touch();
  await clock.advance(199);
  touch();
  await clock.advance(397);
  assert.equal(bursts.length, 0, "pauses of 199 ms are waited for 398 ms");
  touch();
  await clock.advance(793);
  assert.equal(bursts.length, 0);
  await clock.advance(1);
  assert.deepEqual(bursts, [[0, 199, 596]]);
});

Deno.test("Debouncer asks a custom function with all changes of the burst", async () => {
  const { clock, bursts, touch } = debounced((changes: readonly unknown[]) => changes.length * 10);
  touch();
  touch();
  await clock.advance(19);
  assert.equal(bursts.length, 0);
  await clock.advance(1);
  assert.deepEqual(bursts, [[0, 0]]);
});

Deno.test("Debouncer refuses a custom function that answers nonsense", () => {
  const { touch } = debounced(() => -1);
  assert.throws(touch, {
    name: "RangeError",
    message: "Cannot use the result of the debounce function as milliseconds: it is -1",
  });
});

Deno.test("Debouncer.flush() delivers at once, and only once", async () => {
  const { clock, bursts, debouncer, touch } = debounced(500);
  touch();
  debouncer.flush();
  debouncer.flush();
  await clock.advance(1_000);
  assert.deepEqual(bursts, [[0]]);
});

Deno.test("Debouncer leaves neither changes nor a timer when it is disposed", async () => {
  const { clock, bursts, debouncer, touch } = debounced(500);
  touch();
  debouncer[Symbol.dispose]();
  assert.equal(clock.pending, 0);
  await clock.advance(1_000);
  debouncer.flush();
  assert.deepEqual(bursts, []);
});
