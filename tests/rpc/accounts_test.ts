/** What a session counts against its limits is given back when it is over: else it would end after a while. */

import assert from "node:assert/strict";
import { type RemoteCallback, type RpcFunction, TypeRegistry } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { assertAlive, peer } from "./hostile_peer.ts";
import { marker, type RawPeer } from "./raw_peer.ts";
import { sessionPair } from "./session_pair.ts";
import { until } from "./until.ts";

const TEXT = "x".repeat(1000);
class Text {}
const FEW_BYTES = { maxQueuedBytes: 10_000 };

Deno.test("Calls and notifications give back their bytes, so that many after one another are no queue", async () => {
  await using pair = await sessionPair({ both: { limits: FEW_BYTES } });
  const failures: unknown[] = [];
  let noticed = 0;
  pair.guest.expose(
    "text",
    new Map<string, RpcFunction>([
      ["length", (text: string) => text.length],
      ["fail", () => Promise.reject(new Error("no"))],
      ["notice", () => void noticed++],
    ]),
  );
  for (let count = 1; count <= 50; count++) {
    assert.equal(await pair.host.call("text", "length", [TEXT]), 1000);
    await assert.rejects(pair.host.call("text", "fail", [TEXT]), { message: "no" });
    pair.host.notify("text", "notice", [TEXT]);
    await until(() => noticed === count || failures.length > 0);
  }
  assert.deepEqual([noticed, failures], [50, []]);
});

Deno.test("Items give back their bytes when they are read, and when their stream is left", async () => {
  await using pair = await sessionPair({ both: { limits: { ...FEW_BYTES, streamWindowItems: 4 } } });
  let made = 0;
  async function* texts(): AsyncGenerator<string> {
    for (let index = 0; index < 50; index++, made++) yield TEXT;
    await Promise.resolve();
  }
  pair.guest.expose("rows", new Map([["all", texts]]));
  const all = async () => {
    let count = 0;
    for await (const _ of await pair.host.stream("rows", "all", [])) count++;
    return count;
  };
  assert.equal(await all(), 50, "read");
  for (let index = 0; index < 20; index++) {
    const rows = await pair.host.stream("rows", "all", []);
    const before = made;
    await rows.next();
    // The window is full of what nobody has read when the stream is left.
    await until(() => made === before + 3);
    await pair.host.ping();
    await rows.return!();
    await until(() => pair.guest.stats().streamsOut === 0);
  }
  assert.equal(await all(), 50, "after those that were left");
});

Deno.test("Calls give back the room that they took in frames to come", async () => {
  const types = new TypeRegistry();
  const rooms: number[] = [];
  types.register("text", {
    test: (value, { frameRoom }): value is Text => value instanceof Text && rooms.push(frameRoom) > 0,
    encode: () => TEXT,
    decode: (text) => text,
  });
  await using pair = await sessionPair({ both: { types } });
  pair.guest.expose("text", new Map([["length", (text: string) => text.length]]));
  for (let index = 0; index < 5; index++) {
    assert.equal(await pair.host.call("text", "length", [new Text()]), 1000);
  }
  assert.ok(rooms[0]! > 1000);
  assert.deepEqual(rooms, Array(5).fill(rooms[0]));
  const waiting = [
    pair.host.call("text", "length", [new Text()]),
    pair.host.call("text", "length", [new Text()]),
  ];
  assert.equal(rooms[5], rooms[0]);
  assert.ok(rooms[6]! < rooms[0]! - 1000, "what waits takes room");
  await Promise.all(waiting);
});

Deno.test("A function that was given back can be sent again", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "work",
    new Map([["use", async (each: RemoteCallback) => {
      using callback = each;
      return await callback();
    }]]),
  );
  const answer = () => 42;
  for (let index = 0; index < 3; index++) {
    assert.equal(await pair.host.call("work", "use", [answer]), 42);
    await until(() => pair.host.stats().exported === 0);
  }
});

Deno.test("A signal for many calls is listened to by those that are under way, and every deadline comes", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "work",
    new Map<string, RpcFunction>([["done", () => 1], ["wait", () => new Promise(() => {})]]),
  );
  const { signal } = new AbortController();
  let listeners = 0;
  const [add, remove] = [signal.addEventListener.bind(signal), signal.removeEventListener.bind(signal)];
  signal.addEventListener = (...args: Parameters<typeof add>) => (listeners++, add(...args));
  signal.removeEventListener = (...args: Parameters<typeof remove>) => (listeners--, remove(...args));
  for (let index = 0; index < 10; index++) await pair.host.call("work", "done", [], { signal });
  assert.equal(listeners, 0);
  const ended: string[] = [];
  for (const timeoutMs of [1, 40, 20]) {
    pair.host.call("work", "wait", [], { timeoutMs }).catch((error) =>
      ended.push(`${error.name} ${timeoutMs}`)
    );
  }
  await until(() => ended.length === 3);
  assert.deepEqual(ended.sort(), ["CallTimeoutError 1", "CallTimeoutError 20", "CallTimeoutError 40"]);
});

Deno.test("A result that nobody waits for is made and given back, whatever is in it", async () => {
  await using raw = await peer();
  const controller = new AbortController();
  const call = assert.rejects(raw.session.call("a", "b", [], { signal: controller.signal }));
  controller.abort();
  await call;
  raw.send(Kind.result, 1, [[marker("F"), 7], [marker("G"), 1, false]]);
  await until(() => sent(raw, Kind.stop).length > 0 && sent(raw, Kind.release).length > 0);
  assert.deepEqual([sent(raw, Kind.release)[0]?.[1], sent(raw, Kind.stop)[0]?.[1]], [[7, 1], 1]);
  raw.send(Kind.end, 1, false, null);
  await assertAlive(raw);
});

Deno.test("A stream that has ended is not stopped when its reader leaves it", async () => {
  await using raw = await peer();
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [[marker("G"), 1, false], [marker("G"), 2, false]]);
  const [ended, open] = await call as AsyncIterableIterator<unknown>[];
  raw.send(Kind.item, 1, "x");
  raw.send(Kind.end, 1, false, null);
  await assertAlive(raw);
  await ended!.return!();
  await open!.return!();
  await until(() => sent(raw, Kind.stop).length > 0);
  assert.deepEqual(sent(raw, Kind.stop).map(([, stream]) => stream), [2]);
  raw.send(Kind.end, 2, false, null);
  await assertAlive(raw, 2000);
});

Deno.test("A peer cannot open more streams, or hand over more references, than the limits say", async () => {
  await using raw = await peer({ limits: { maxStreams: 2, maxReferences: 2 } });
  const streams = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [1, 2, 3].map((stream) => [marker("G"), stream, false]));
  await assert.rejects(streams, { name: "LimitExceededError", limit: "maxStreams" });
  await until(() => sent(raw, Kind.stop).length === 3);
  for (const stream of [1, 2, 3]) raw.send(Kind.end, stream, false, null);
  const functions = raw.session.call("a", "b", []);
  raw.send(Kind.result, 2, [1, 2, 3].map((id) => [marker("F"), id]));
  await assert.rejects(functions, { name: "LimitExceededError", limit: "maxReferences" });
  await until(() => sent(raw, Kind.release).flatMap(([, pairs]) => pairs).length === 4);
  await assertAlive(raw);
});

Deno.test("A peer cannot nest calls deeper than the limit", async () => {
  await using raw = await peer({ limits: { maxDepth: 1 } });
  raw.session.call("a", "b", []).catch(() => undefined);
  raw.send(Kind.call, 1, 0, "svc", "echo", ["of its own"]);
  raw.send(Kind.call, 2, 1, "svc", "echo", ["inside the host's call"]);
  await until(() => sent(raw, Kind.result).length + sent(raw, Kind.error).length === 2);
  assert.deepEqual(sent(raw, Kind.result).map(([, id, value]) => [id, value]), [[1, "of its own"]]);
  assert.match(JSON.stringify(sent(raw, Kind.error)), /\\"maxDepth\\" is 1/);
});

Deno.test("A peer cannot call a function by the name of a member", async () => {
  await using raw = await peer();
  raw.session.call("a", "b", [() => "called"]).catch(() => undefined);
  raw.send(Kind.call, 1, 0, 1, "", []);
  raw.send(Kind.call, 2, 0, 1, "apply", []);
  await until(() => sent(raw, Kind.result).length + sent(raw, Kind.error).length === 2);
  assert.deepEqual(sent(raw, Kind.result).map(([, id, value]) => [id, value]), [[1, "called"]]);
  assert.match(JSON.stringify(sent(raw, Kind.error)), /reference.apply/);
});

/** The messages of a kind that the session has sent. */
function sent(raw: RawPeer, kind: number): (readonly unknown[])[] {
  return raw.received.filter(([one]) => one === kind);
}
