import assert from "node:assert/strict";
import { systemClock, wait } from "../../src/util/clock.ts";
import { FakeClock } from "./fake_clock.ts";

Deno.test("wait() settles when the time has passed and not before", async () => {
  const clock = new FakeClock();
  let hasSettled = false;
  const waiting = wait(clock, 100).then(() => hasSettled = true);
  await clock.advance(99);
  assert.equal(hasSettled, false);
  await clock.advance(1);
  await waiting;
  assert.equal(clock.pending, 0);
});

Deno.test("wait() rejects with the signal's own reason and cancels its timer", async () => {
  const clock = new FakeClock();
  const controller = new AbortController();
  const reason = new Error("enough");
  const waiting = wait(clock, 100, controller.signal);
  controller.abort(reason);
  await assert.rejects(waiting, (error) => error === reason);
  assert.equal(clock.pending, 0);
});

Deno.test("wait() rejects at once when its signal has aborted before", async () => {
  const clock = new FakeClock();
  await assert.rejects(wait(clock, 100, AbortSignal.abort("no")), (error) => error === "no");
  assert.equal(clock.pending, 0);
});

Deno.test("systemClock() fires, and cancelled timers do not", async () => {
  const fired: string[] = [];
  const clock = systemClock();
  clock.after(1, () => fired.push("cancelled"))();
  await wait(clock, 5);
  fired.push("waited");
  assert.deepEqual(fired, ["waited"]);
});
