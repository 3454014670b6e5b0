/** One timer serves the deadlines of all calls, and keeps a process alive only while one of them waits. */

import assert from "node:assert/strict";
import { type OutgoingCall, OutgoingCalls } from "../../src/rpc/outgoing_calls.ts";
import type { CallOptions } from "../../src/rpc/types.ts";

interface FakeTimer {
  readonly at: number;
  readonly ring: () => void;
  isHolding: boolean;
}

/** A clock that stands still until it is told, in place of the runtime's. */
class FakeClock implements Disposable {
  readonly timers = new Map<number, FakeTimer>();
  now = 0;
  #lastId = 0;
  readonly #restore: () => void;

  constructor() {
    const { setTimeout, clearTimeout } = globalThis;
    const { refTimer, unrefTimer } = Deno;
    const now = performance.now;
    this.#restore = () => {
      Object.assign(globalThis, { setTimeout, clearTimeout });
      Object.assign(Deno, { refTimer, unrefTimer });
      performance.now = now;
    };
    Object.assign(globalThis, {
      setTimeout: (ring: () => void, ms: number) => {
        this.timers.set(++this.#lastId, { at: this.now + ms, ring, isHolding: true });
        return this.#lastId;
      },
      clearTimeout: (id: number) => this.timers.delete(id),
    });
    Object.assign(Deno, {
      refTimer: (id: number) => this.timers.get(id)!.isHolding = true,
      unrefTimer: (id: number) => this.timers.get(id)!.isHolding = false,
    });
    performance.now = () => this.now;
  }

  /** When the timers ring, those that keep the process alive. */
  get holding(): number[] {
    return [...this.timers.values()].filter((timer) => timer.isHolding).map((timer) => timer.at);
  }

  /** Timers may ring late, and in no order. */
  advance(to: number): void {
    this.now = to;
    for (const [id, timer] of [...this.timers]) {
      if (timer.at > to || !this.timers.delete(id)) continue;
      timer.ring();
    }
  }

  [Symbol.dispose](): void {
    this.#restore();
  }
}

/** Calls whose ends are written down. */
class Calls {
  readonly ends: string[] = [];
  readonly cancelled: number[] = [];
  readonly table = new OutgoingCalls((id) => this.cancelled.push(id), {
    peerName: "guest",
    maxInFlight: 10,
    forgetSignals: () => {},
  });

  add(deadlineAt: number, options?: CallOptions): number {
    const id = this.table.nextId();
    const call: OutgoingCall = {
      kind: "call",
      id,
      target: "work",
      method: "run",
      depth: 1,
      startedAt: performance.now(),
      deadlineAt,
      timeoutMs: deadlineAt,
      options,
      resolve: () => assert.fail("nobody answers"),
      reject: (error) => this.ends.push(`${id}: ${(error as Error).name}`),
      onAbort: undefined,
      isAbandoned: false,
      bytes: 1,
      signals: undefined,
    };
    this.table.add(call);
    return id;
  }
}

Deno.test("OutgoingCalls.add() lets one timer serve all deadlines, each at its time", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  for (const deadlineAt of [30, 10, Infinity, 20.5, 10, 10.5]) calls.add(deadlineAt);
  assert.deepEqual(clock.holding, [10], "the earliest one");
  clock.advance(9);
  assert.deepEqual(calls.ends, []);
  clock.advance(10);
  assert.deepEqual(calls.ends, ["2: CallTimeoutError", "5: CallTimeoutError"]);
  assert.deepEqual(clock.holding, [11], "a timer of whole milliseconds rings after the deadline");
  clock.advance(11);
  calls.add(25);
  assert.deepEqual(clock.holding, [21], "later deadlines need no timer of their own");
  clock.advance(21);
  clock.advance(25);
  clock.advance(30);
  assert.deepEqual(calls.cancelled, [2, 5, 6, 4, 7, 1]);
  assert.deepEqual(calls.ends, calls.cancelled.map((id) => `${id}: CallTimeoutError`));
  assert.equal(clock.timers.size, 0, "a call without a deadline needs none");
});

Deno.test("OutgoingCalls.take() of the last call leaves a timer that keeps no process alive, and that the next one takes up", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  const [first, second] = [calls.add(50), calls.add(60)];
  calls.table.take(first);
  assert.deepEqual(clock.holding, [50], "one still waits");
  calls.table.take(second);
  assert.deepEqual([clock.holding, clock.timers.size], [[], 1]);
  const third = calls.add(70);
  assert.deepEqual([clock.holding, clock.timers.size], [[50], 1], "a later deadline");
  calls.table.take(third);
  assert.deepEqual(clock.holding, [], "again");
  calls.add(40);
  assert.deepEqual([clock.holding, clock.timers.size], [[40], 1], "an earlier one");
  clock.advance(40);
  assert.deepEqual(calls.ends, ["4: CallTimeoutError"]);
});

Deno.test("OutgoingCalls.add() holds the process for a call after its timer rang in vain", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  calls.table.take(calls.add(50));
  clock.advance(50);
  assert.deepEqual([calls.ends, clock.timers.size], [[], 0]);
  calls.add(90);
  assert.deepEqual(clock.holding, [90]);
  clock.advance(90);
  assert.deepEqual(calls.ends, ["2: CallTimeoutError"]);
});

Deno.test("OutgoingCalls ends a call once: by its signal, by its deadline or by clear()", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  const controller = new AbortController();
  calls.add(10);
  calls.add(20, { signal: controller.signal });
  calls.add(50);
  controller.abort(new DOMException("enough", "AbortError"));
  clock.advance(10);
  assert.deepEqual(calls.ends, ["2: AbortError", "1: CallTimeoutError"]);
  assert.deepEqual(clock.holding, [50], "the deadline of a call that was given up is none");
  assert.deepEqual(calls.cancelled, [2, 1]);
  assert.equal(calls.table.size, 3, "the peer still owes its answers");
  calls.table.clear(new TypeError("the end"));
  assert.deepEqual(calls.ends.slice(2), ["3: TypeError"]);
  assert.deepEqual([clock.timers.size, calls.table.failed, calls.table.bytes], [0, 3, 0]);
});

Deno.test("OutgoingCalls tells nobody of a call that was given up: no progress, and no entry among those that wait", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  const onProgress = () => {};
  const [given, kept] = [10, 20].map((deadlineAt) => calls.add(deadlineAt, { onProgress }));
  assert.equal(calls.table.progressOf(given), onProgress);
  clock.advance(10);
  assert.equal(calls.table.progressOf(given), undefined);
  assert.equal(calls.table.progressOf(kept), onProgress);
  assert.deepEqual(calls.table.inspect(15).map(({ id, ageMs }) => [id, ageMs]), [[kept, 15]]);
  for (const unknown of [0, -1, 3, "1", undefined]) {
    assert.throws(() => calls.table.progressOf(unknown), { name: "ProtocolError" });
  }
  const late = calls.table.take(given);
  calls.table.fail(late, new TypeError("too late"));
  assert.deepEqual([calls.ends, calls.table.failed], [["1: CallTimeoutError"], 1]);
  calls.table.streamsOf(late);
  assert.equal(calls.table.progressOf(given), undefined, "nor while its result streams");
});

Deno.test("OutgoingCalls listens to a signal for as long as somebody waits", () => {
  using clock = new FakeClock();
  const calls = new Calls();
  const { signal } = new AbortController();
  const listeners = new Set<unknown>();
  signal.addEventListener = (_type: string, listener: unknown) => void listeners.add(listener);
  signal.removeEventListener = (_type: string, listener: unknown) => void listeners.delete(listener);
  const [answered] = [30, 10, 40].map((deadlineAt) => calls.add(deadlineAt, { signal }));
  assert.equal(listeners.size, 3);
  calls.table.take(answered);
  assert.equal(listeners.size, 2, "answered");
  clock.advance(10);
  assert.equal(listeners.size, 1, "its deadline came");
  calls.table.clear(new TypeError("the end"));
  assert.equal(listeners.size, 0);
});

Deno.test("OutgoingCalls.depthOf() knows a call until its result was read and the streams in it have ended", () => {
  using _clock = new FakeClock();
  const calls = new Calls();
  const { table } = calls;
  for (const streams of [0, 2]) {
    const id = calls.add(Infinity);
    const call = table.take(id);
    const owner = table.streamsOf(call);
    for (let stream = 0; stream < streams; stream++) owner.streamOpened();
    assert.equal(table.depthOf(id), 1, "its result is being read");
    table.answered(call);
    for (let left = streams; left > 0; left--) {
      assert.equal(table.depthOf(id), 1, `${left} streams are open`);
      owner.streamEnded();
    }
    assert.equal(table.depthOf(id), 0);
  }
});
