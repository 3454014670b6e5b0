import assert from "node:assert/strict";
import { heartbeat } from "../../src/supervisor/heartbeat.ts";
import { FakeClock, settle } from "../util/fake_clock.ts";

function beating() {
  const clock = new FakeClock();
  const state = { busy: false, lost: 0, pings: [] as PromiseWithResolvers<void>[] };
  const own = heartbeat({
    clock,
    intervalMs: 100,
    ping: () => {
      const answer = Promise.withResolvers<void>();
      state.pings.push(answer);
      return answer.promise;
    },
    isBusy: () => state.busy,
    onLost: () => void state.lost++,
  });
  return { clock, state, own };
}

Deno.test("heartbeat() tells once that a plugin is lost after three intervals without an answer", async () => {
  const { clock, state } = beating();
  await clock.advance(399);
  assert.deepEqual([state.pings.length, state.lost], [1, 0]);
  await clock.advance(1);
  assert.equal(state.lost, 1);
  await clock.advance(10_000);
  assert.deepEqual([state.lost, clock.pending], [1, 0]);
});

Deno.test("heartbeat() goes on as long as answers come, however late within the bound", async () => {
  const { clock, state, own } = beating();
  for (let count = 0; count < 5; count++) {
    await clock.advance(300);
    state.pings.at(-1)?.resolve();
    await settle();
  }
  assert.equal(state.lost, 0);
  assert.ok(state.pings.length >= 4);
  own[Symbol.dispose]();
});

Deno.test("heartbeat() asks nothing while a call is under way", async () => {
  const { clock, state, own } = beating();
  state.busy = true;
  await clock.advance(10_000);
  assert.deepEqual([state.pings.length, state.lost], [0, 0]);
  own[Symbol.dispose]();
});

Deno.test("heartbeat() does not hold an open question against a plugin that became busy", async () => {
  const { clock, state, own } = beating();
  await clock.advance(100);
  assert.equal(state.pings.length, 1);
  state.busy = true;
  await clock.advance(10_000);
  assert.equal(state.lost, 0);
  state.busy = false;
  await clock.advance(299);
  assert.equal(state.lost, 0);
  await clock.advance(1);
  assert.equal(state.lost, 1);
  own[Symbol.dispose]();
});

Deno.test("heartbeat() leaves no timer when it is disposed or its peer is gone", async () => {
  const first = beating();
  first.own[Symbol.dispose]();
  assert.equal(first.clock.pending, 0);
  const second = beating();
  await second.clock.advance(100);
  second.state.pings[0]?.reject(new Error("gone"));
  await settle();
  assert.deepEqual([second.clock.pending, second.state.lost], [0, 0]);
});
