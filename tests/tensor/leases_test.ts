import assert from "node:assert/strict";
import { Leases } from "../../src/tensor/leases.ts";
import type { Clock } from "../../src/tensor/mod.ts";
import { nativeTest } from "../native/test_native.ts";
import { KIND, RawPeer } from "./raw_peer.ts";

/** Time that passes when a test says so. */
class FakeClock implements Clock {
  #now = 0;
  readonly #timers = new Set<{ readonly at: number; readonly callback: () => void }>();

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): () => void {
    const timer = { at: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  get timers(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    this.#now += ms;
    for (const timer of [...this.#timers]) {
      if (timer.at > this.#now) continue;
      this.#timers.delete(timer);
      timer.callback();
    }
  }
}

interface Trial {
  readonly clock: FakeClock;
  readonly leases: Leases;
  readonly told: number[];
  readonly released: string[];
  open(name: string, end?: "picked" | "released"): number;
}

function trial(): Trial {
  const clock = new FakeClock();
  const told: number[] = [];
  const released: string[] = [];
  const leases = new Leases(clock, 30_000, (id) => told.push(id));
  const open: Trial["open"] = (name, end = "released") =>
    leases.open({ release: () => released.push(name) }, end);
  return { clock, leases, told, released, open };
}

Deno.test("Leases keep what was picked up until it is released, however long that takes", () => {
  const { clock, leases, told, released, open } = trial();
  const id = open("a");
  leases.picked(id);
  clock.pass(1e9);
  assert.deepEqual([told, released], [[], []]);
  leases.released(id);
  assert.deepEqual(released, ["a"]);
  assert.equal(leases.size, 0);
});

Deno.test("Leases end by picking up where the receiver then has its own hold", () => {
  const { leases, released, open } = trial();
  leases.picked(open("a", "picked"));
  assert.deepEqual(released, ["a"]);
});

Deno.test("Leases give notice after retentionMs and let go a moment later", () => {
  const { clock, told, released, open } = trial();
  const id = open("a");
  clock.pass(29_999);
  assert.deepEqual(told, []);
  clock.pass(1);
  assert.deepEqual([told, released], [[id], []]);
  clock.pass(1_000);
  assert.deepEqual(released, ["a"]);
  assert.equal(clock.timers, 0);
});

Deno.test("Leases keep what was picked up while notice was on its way", () => {
  const { clock, leases, released, open } = trial();
  const id = open("a");
  clock.pass(30_000);
  leases.picked(id);
  clock.pass(60_000);
  assert.deepEqual(released, []);
  leases.released(id);
  assert.deepEqual(released, ["a"]);
});

Deno.test("Leases give notice of what was sent later, too, whatever was picked up meanwhile, and how often", () => {
  const { clock, leases, told, released, open } = trial();
  const picked = open("picked");
  leases.picked(picked);
  leases.picked(picked);
  open("first");
  clock.pass(20_000);
  const second = open("second");
  clock.pass(10_000);
  clock.pass(1_000);
  assert.deepEqual(released, ["first"]);
  clock.pass(30_000);
  assert.deepEqual(told.slice(1), [second]);
});

Deno.test("Leases.flush() gives notice at once and purge() lets go", () => {
  const { leases, told, released, open } = trial();
  const picked = open("picked");
  leases.picked(picked);
  const id = open("a");
  assert.equal(leases.flush(), 1);
  assert.equal(leases.flush(), 0);
  assert.deepEqual(told, [id]);
  assert.equal(leases.purge(), 1);
  assert.deepEqual(released, ["a"]);
});

Deno.test("Leases refuse to end what they never gave, and ignore what is over", () => {
  const { leases, released, open } = trial();
  const id = open("a");
  leases.released(id);
  leases.released(id);
  leases.picked(id);
  assert.deepEqual(released, ["a"]);
  assert.throws(() => leases.released(id + 1), { name: "ProtocolError" });
  assert.throws(() => leases.picked(0), { name: "ProtocolError" });
});

Deno.test("Leases are all over when the receiver is gone, and no timer stays", () => {
  const { clock, leases, released, open } = trial();
  leases.picked(open("a"));
  open("b");
  leases[Symbol.dispose]();
  assert.deepEqual(released, ["a", "b"]);
  assert.equal(clock.timers, 0);
});

Deno.test(nativeTest("what nobody picks up returns to the host after retentionMs"), async () => {
  const clock = new FakeClock();
  await using peer = await RawPeer.start({ retentionMs: 30_000 }, clock);
  const tensor = peer.host.tensor([2 ** 20], "uint8");
  peer.types.write(tensor);
  tensor.dispose();
  assert.deepEqual([peer.host.stats().leases, peer.host.stats().regions], [1, 1]);
  const grant = await peer.hear();
  peer.native.close(grant.fd);
  clock.pass(30_000);
  assert.equal((await peer.hear()).kind, KIND.expired);
  clock.pass(1_000);
  assert.deepEqual([peer.host.stats().leases, peer.host.stats().regions, peer.host.stats().usedBytes], [
    0,
    0,
    0,
  ]);
});

Deno.test(
  nativeTest("a message that was never sent leaves no lease once the guest has heard of it"),
  async () => {
    await using peer = await RawPeer.start();
    using tensor = peer.host.tensor([2 ** 20], "uint8");
    const undo: (() => void)[] = [];
    peer.types.write(tensor, undo);
    for (const step of undo) step();
    const grant = await peer.hear();
    peer.native.close(grant.fd);
    const notice = await peer.hear();
    assert.deepEqual([notice.kind, notice.id], [KIND.expired, grant.c]);
    peer.say(KIND.released, [notice.id]);
    while (peer.host.stats().leases > 0) await new Promise((resolve) => setTimeout(resolve, 1));
  },
);
