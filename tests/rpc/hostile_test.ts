import assert from "node:assert/strict";
import { ExtData } from "@msgpack/msgpack";
import { ProtocolError } from "../../src/errors.ts";
import { RpcSession } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { socketTransport } from "../../src/transport/mod.ts";
import { assertAlive, peer } from "./hostile_peer.ts";
import { marker, payload, rawGuest, type RawPeer } from "./raw_peer.ts";
import { connectionPair } from "./session_pair.ts";
import { until } from "./until.ts";

const broken: readonly (readonly [what: string, reason: RegExp, ...message: unknown[]])[] = [
  ["an unknown kind", /it is kind 99/, 99],
  ["a kind that is no number", /it is kind call/, "call"],
  ["an empty message", /it is kind undefined/],
  ["a second hello", /it is hello/, Kind.hello, 1, "t", {}, {}],
  ["a kind that only a host may send", /it is shutdown/, Kind.shutdown, 1],
  ["a load, which only a host may send", /it is load/, Kind.load, 1, {}],
  ["a reply to a call that was never made", /call 5 does not wait for one/, Kind.result, 5, 1],
  ["an error for a call that was never made", /call 5 does not wait for one/, Kind.error, 5, 1],
  ["a reply whose id is no number", /call __proto__ does not wait/, Kind.result, "__proto__", 1],
  ["ready for a load that was never made", /call 1 does not wait for one/, Kind.ready, 1, []],
  ["progress of a call that was never made", /call 9 was never made/, Kind.progress, 9, 1],
  ["a call without fields", /numbers only grow/, Kind.call],
  ["a call with a negative id", /numbers only grow/, Kind.call, -1, 0, "svc", "echo", []],
  ["a call with a fraction as id", /numbers only grow/, Kind.call, 1.5, 0, "svc", "echo", []],
  ["a call whose target is a map", /they have other types/, Kind.call, 1, 0, {}, "echo", []],
  ["a call whose method is a number", /they have other types/, Kind.call, 1, 0, "svc", 1, []],
  ["a call whose arguments are a map", /they have other types/, Kind.call, 1, 0, "svc", "echo", {
    length: 1,
  }],
  ["a call whose timeout is text", /timeout must be milliseconds/, Kind.call, 1, 0, "svc", "echo", [], "1"],
  ["a call whose timeout is over", /timeout must be milliseconds/, Kind.call, 1, 0, "svc", "echo", [], -1],
  ["a call whose timeout has no end", /must be milliseconds/, Kind.call, 1, 0, "svc", "echo", [], Infinity],
  ["a cancel of a call that was never made", /call 3 as it was never made/, Kind.cancel, 3, null],
  ["an item of a stream that is not open", /stream 1 is not open/, Kind.item, 1, 1],
  ["an end of a stream that is not open", /stream 1 is not open/, Kind.end, 1],
  ["credit for a stream that never was", /stream 1 as it was never opened/, Kind.credit, 1, 1],
  ["negative credit", /must be a positive integer/, Kind.credit, 1, -1],
  ["a stop of a stream that never was", /stream 7 as it was never opened/, Kind.stop, 7, null],
  ["a release of what was never given", /does not hold that many/, Kind.release, [1, 1]],
  ["a release of less than nothing", /does not hold that many: -1/, Kind.release, [1, -1]],
  ["a call whose parent is a fraction", /they have other types/, Kind.call, 1, 0.5, "svc", "echo", []],
  ["a call whose parent is text", /they have other types/, Kind.call, 1, "1", "svc", "echo", []],
  ["a release of half a pair", /wants pairs/, Kind.release, [1]],
  ["a release of a fraction", /must be an integer/, Kind.release, [1, 0.5]],
  ["a call of a reference that was never given", /never given to the peer/, Kind.call, 1, 0, 77, "", []],
  ["a foreign reference that comes home", /never given to the peer/, Kind.call, 1, 0, "svc", "echo", [[
    marker("B"),
    9,
  ]]],
  ["an event whose name is a number", /name must be text/, Kind.event, 1, 1],
  ["a pong without a ping", /ping 1 is not open/, Kind.pong, 1],
  ["a ping without a number", /must be an integer/, Kind.ping, {}],
  [
    "an unknown extension type",
    /extension type 99 is unknown/,
    Kind.event,
    "x",
    new ExtData(99, new Uint8Array(1)),
  ],
  ["an unknown marker", /a marker is unknown/, Kind.event, "x", [marker("Z")]],
  ["an unknown constant", /a constant is unknown/, Kind.event, "x", new ExtData(1, new Uint8Array([9]))],
  ["a date of three bytes", /a date must have 8 bytes/, Kind.event, "x", new ExtData(3, new Uint8Array(3))],
  [
    "a bigint of letters",
    /must be hexadecimal/,
    Kind.event,
    "x",
    new ExtData(4, new TextEncoder().encode("zz")),
  ],
  ["half a UTF-16 unit", /even number of bytes/, Kind.event, "x", new ExtData(5, new Uint8Array(3))],
  [
    "a typed array of half elements",
    /4-byte elements has 3 bytes/,
    Kind.event,
    "x",
    new ExtData(27, new Uint8Array(3)),
  ],
  ["the goodbye of a code that is text", /must be an integer/, Kind.goodbye, "0"],
];

for (const [what, reason, ...message] of broken) {
  Deno.test(`RpcSession closes on ${what}, tells the peer, and rejects what is pending`, async () => {
    await using raw = await peer();
    const closed = raw.closed();
    raw.send(...message);
    const error = await closed;
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, reason);
    await until(() => raw.received.at(-1)?.[0] === Kind.close);
    assert.match(String(raw.received.at(-1)![1]), reason);
    await assert.rejects(raw.session.call("a", "b", []), (failure) => failure === error);
  });
}

const bytes: readonly (readonly [what: string, reason: RegExp, frame: Uint8Array])[] = [
  ["an empty frame", /truncated/, new Uint8Array()],
  ["a frame that is no array", /must be an array/, new Uint8Array([0x80])],
  ["two messages in a frame", /2 bytes follow/, new Uint8Array([0x91, 0x63, 0x91, 0x63])],
  ["the byte that begins nothing", /0xc1 begins no value/, new Uint8Array([0x91, 0xc1])],
  ["100,000 nested arrays", /"maxNesting" is 128/, new Uint8Array(100_000).fill(0x91)],
  [
    "a map of 4 billion entries",
    /more values than it holds/,
    new Uint8Array([0x91, 0xdf, 255, 255, 255, 255]),
  ],
  [
    "nested arrays that each announce all that is left",
    /more values than it holds/,
    nestedClaims(),
  ],
  ["an array of 4 billion elements", /more values than it holds/, new Uint8Array([0xdd, 255, 255, 255, 255])],
  ["a string of 4 GiB", /truncated/, new Uint8Array([0x91, 0xdb, 255, 255, 255, 255])],
  ["a binary of 4 GiB", /truncated/, new Uint8Array([0x91, 0xc6, 255, 255, 255, 255])],
  ["an extension of 4 GiB", /truncated/, new Uint8Array([0x91, 0xc9, 255, 255, 255, 255, 1])],
  ["a map whose key is a number", /not a string/, new Uint8Array([0x91, 0x81, 0x01, 0x01])],
  ["a map whose key is a map", /not a string/, new Uint8Array([0x91, 0x81, 0x80, 0x01])],
  ["an integer beyond 2^53", /beyond 2\^53/, new Uint8Array([0x92, 99, 0xcf, 0, 0x20, 0, 0, 0, 0, 0, 0])],
  [
    "a key __proto__",
    /a map has a key "__proto__"/,
    payload([Kind.event, "x", JSON.parse('{"__proto__":{"polluted":1}}')]),
  ],
  ["a million map entries", /"maxValues" is 1000000/, millionEntries()],
];

/** Memory for each of them would be a thousand times the frame. */
function nestedClaims(): Uint8Array {
  const frame = new Uint8Array(900_000);
  for (let level = 0; level < 120; level++) {
    frame[level * 5] = 0xdd;
    new DataView(frame.buffer).setUint32(level * 5 + 1, frame.length - 5 * (level + 1));
  }
  return frame;
}

function millionEntries(): Uint8Array {
  const frame = new Uint8Array(6 + 3_000_000);
  frame.set([0x91, 0xdf, 0, 0x0f, 0x42, 0x40]);
  for (let at = 6; at < frame.length; at += 3) frame.set([0xa1, 0x61, 0xc0], at);
  return frame;
}

for (const [what, reason, frame] of bytes) {
  Deno.test(`RpcSession closes on ${what}`, async () => {
    await using raw = await peer();
    const closed = raw.closed();
    raw.wire.send(frame);
    const error = await closed;
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, reason);
    assert.equal((Object.prototype as { polluted?: unknown }).polluted, undefined);
  });
}

Deno.test("RpcSession closes on every truncation of a call", async () => {
  const whole = payload([Kind.call, 1, 0, "svc", "echo", [{
    key: [1.5, "text", new Uint8Array(3), marker("M")],
  }]]);
  for (let length = 0; length < whole.length; length++) {
    await using raw = await peer();
    raw.wire.send(whole.subarray(0, length));
    const error = await raw.closed();
    assert.ok(error instanceof ProtocolError, `${length} of ${whole.length} bytes`);
  }
});

Deno.test("RpcSession does not take other messages before hello", async () => {
  await using raw = await rawGuest({}, false);
  raw.send(Kind.call, 1, 0, "svc", "echo", []);
  const error = await raw.closed();
  assert.ok(error instanceof ProtocolError);
  assert.match(error.message, /a hello comes first: it was call/);
});

for (
  const [what, token] of [["prefix", "token"], ["longer", "token too long"], ["number", 5], [
    "nil",
    null,
  ]] as const
) {
  Deno.test(`RpcSession refuses a hello with a wrong token: ${what}`, async () => {
    await using raw = await rawGuest({ token: "token too" }, false);
    raw.send(Kind.hello, 1, token, {}, {});
    const error = await raw.closed();
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, /the token must be the sandbox's own/);
    assert.doesNotMatch(error.message, /token too/);
  });
}

Deno.test("RpcSession refuses a hello with another version, or limits that are none", async () => {
  const hellos = [[2, "t", {}, {}], [1, "t", {}, { maxFrameBytes: -1 }], [1, "t", {}, null], [1, "t", 5, {}]];
  for (const hello of hellos) {
    await using raw = await rawGuest({}, false);
    raw.send(Kind.hello, ...hello);
    assert.ok(await raw.closed() instanceof ProtocolError);
  }
});

Deno.test("RpcSession closes on a second reply to one call", async () => {
  await using raw = await peer();
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, "first");
  assert.equal(await call, "first");
  raw.send(Kind.result, 1, "second");
  assert.match(String(await raw.closed()), /call 1 does not wait for one: it is finished or unknown/);
});

Deno.test("RpcSession closes on a second reply to a call that was cancelled", async () => {
  await using raw = await peer();
  const controller = new AbortController();
  const call = assert.rejects(raw.session.call("a", "b", [], { signal: controller.signal }));
  controller.abort();
  await call;
  raw.send(Kind.result, 1, "the one that is owed");
  await assertAlive(raw, 1);
  raw.send(Kind.result, 1, "second");
  assert.ok(await raw.closed() instanceof ProtocolError);
});

Deno.test("RpcSession closes on a call id that was used before", async () => {
  await using raw = await peer();
  await assertAlive(raw, 5);
  raw.send(Kind.call, 5, 0, "svc", "echo", []);
  assert.match(String(await raw.closed()), /numbers only grow: it is not new/);
});

Deno.test("RpcSession closes on a result for a load, and on ready for a call", async () => {
  for (const kind of ["load", "call"] as const) {
    await using raw = await peer();
    const pending = kind === "load" ? raw.session.load({ entry: "x" }) : raw.session.call("a", "b", []);
    const rejected = assert.rejects(pending, ProtocolError);
    raw.send(kind === "load" ? Kind.result : Kind.ready, 1, []);
    await rejected;
    assert.ok(await raw.closed() instanceof ProtocolError);
  }
});

Deno.test("RpcSession closes on exports of another shape", async () => {
  for (
    const exports of [5, [5], [{ name: 1, kind: "function" }], [{ name: "a", kind: "eval" }], [{
      name: "a",
      kind: "object",
    }]]
  ) {
    await using raw = await peer();
    const load = assert.rejects(raw.session.load({ entry: "x" }), ProtocolError);
    raw.send(Kind.ready, 1, exports);
    await load;
  }
});

Deno.test("Names that objects inherit are not exposed, and nothing is looked up on a prototype", async () => {
  await using raw = await peer();
  const names = [
    "__proto__",
    "constructor",
    "toString",
    "then",
    "hasOwnProperty",
    "__defineGetter__",
    "valueOf",
    "",
  ];
  let id = 0;
  for (const name of names) {
    raw.send(Kind.call, ++id, 0, name, name, []);
    raw.send(Kind.call, ++id, 0, "svc", name, []);
  }
  await until(() => raw.received.filter((message) => message[0] === Kind.error).length === id);
  await assertAlive(raw);
});

Deno.test("A released reference answers with an error, and lives on", async () => {
  await using raw = await peer();
  raw.send(Kind.call, 1, 0, "svc", "page", []);
  await until(() => raw.received.length === 2);
  raw.send(Kind.call, 2, 0, 1, "title", []);
  raw.send(Kind.call, 3, 0, 1, "constructor", []);
  raw.send(Kind.release, [1, 1]);
  raw.send(Kind.call, 4, 0, 1, "title", []);
  await until(() => raw.received.length === 5);
  assert.deepEqual(raw.received.slice(2).map(([kind, id]) => [kind, id]), [
    [Kind.result, 2],
    [Kind.error, 3],
    [Kind.error, 4],
  ]);
  raw.send(Kind.release, [1, 1]);
  assert.match(String(await raw.closed()), /does not hold that many/);
});

for (const count of [2, 0, -1]) {
  Deno.test(`RpcSession closes on a release of ${count} where the peer holds one`, async () => {
    await using raw = await peer();
    raw.send(Kind.call, 1, 0, "svc", "page", []);
    await until(() => raw.received.length === 2);
    raw.send(Kind.release, [1, count]);
    assert.match(String(await raw.closed()), new RegExp(`does not hold that many: ${count}`));
  });
}

Deno.test("100,000 calls in flight are refused beyond maxInFlight, and memory stays bounded", async () => {
  await using raw = await peer({ limits: { maxInFlight: 1000 } });
  for (let id = 1; id <= 100_000; id++) raw.send(Kind.call, id, 0, "svc", "wait", []);
  await until(() => raw.received.length === 1 + 99_000);
  assert.ok(raw.received.slice(1).every((message) => message[0] === Kind.error));
  assert.equal(raw.session.stats().pendingIn, 1000);
  await assertAliveUnderLoad(raw);
});

async function assertAliveUnderLoad(raw: RawPeer): Promise<void> {
  raw.send(Kind.ping, 1);
  await until(() => raw.received.some((message) => message[0] === Kind.pong));
}

Deno.test("Calls whose arguments are too much together are refused", async () => {
  await using raw = await peer({ limits: { maxQueuedBytes: 10_000 } });
  for (let id = 1; id <= 20; id++) raw.send(Kind.call, id, 0, "svc", "wait", ["x".repeat(1000)]);
  await until(() => raw.received.some((message) => message[0] === Kind.error && message[1] === 20));
  assert.equal(raw.session.stats().pendingIn, 9);
  await assertAliveUnderLoad(raw);
});

Deno.test("A writer that ignores its credit closes the session", async () => {
  await using raw = await peer({ limits: { streamWindowItems: 4 } });
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [marker("G"), 1, false]);
  await call;
  for (let item = 0; item < 5; item++) raw.send(Kind.item, 1, item);
  assert.match(String(await raw.closed()), /stream 1 has no credit: its window is full/);
});

Deno.test("A writer that ignores the size of its window closes the session", async () => {
  await using raw = await peer({ limits: { streamWindowBytes: 100 } });
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [marker("G"), 1, false]);
  await call;
  // The first may be larger than the window: it was empty when the item began.
  raw.send(Kind.item, 1, "x".repeat(200));
  await assertAlive(raw);
  raw.send(Kind.item, 1, "x");
  assert.match(String(await raw.closed()), /stream 1 has no credit: its window is full/);
});

Deno.test("A stream number that was used before closes the session", async () => {
  await using raw = await peer();
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [[marker("G"), 1, false], [marker("G"), 1, false]]);
  await assert.rejects(call, ProtocolError);
  assert.match(String(await raw.closed()), /Cannot open stream 1/);
});

Deno.test("Unread streams that are too much together are stopped, and the session goes on", async () => {
  await using raw = await peer({ limits: { maxQueuedBytes: 5000 } });
  const call = raw.session.call("a", "b", []);
  raw.send(Kind.result, 1, [marker("G"), 1, false]);
  const stream = await call as AsyncIterableIterator<unknown>;
  for (let item = 0; item < 6; item++) raw.send(Kind.item, 1, "x".repeat(1000));
  await until(() => raw.received.some((message) => message[0] === Kind.stop));
  await assert.rejects(stream.next(), { name: "LimitExceededError", limit: "maxQueuedBytes" });
  raw.send(Kind.end, 1);
  await assertAlive(raw);
});

Deno.test("A peer that never reads is cut off, with bounded memory", async () => {
  const [left, right] = await connectionPair();
  const limits = { maxQueuedBytes: 256 * 1024 };
  await using session = new RpcSession(socketTransport(left), { role: "host", token: "t", limits });
  session.expose("svc", new Map([["big", () => "x".repeat(100_000)]]));
  const started = session.start();
  const writing = writeCalls(right, 10_000);
  await started;
  const error = await session.closed;
  assert.ok(error instanceof ProtocolError);
  assert.match(error.message, /"maxQueuedBytes" is 262144: the peer does not read/);
  assert.ok(session.stats().bytesOut < 1024 * 1024);
  const [written] = await Promise.allSettled([writing]);
  assert.ok(written.status === "fulfilled" || written.reason instanceof Deno.errors.BrokenPipe);
  right.close();
});

async function writeCalls(connection: Deno.Conn, count: number): Promise<void> {
  await writeFrame(connection, payload([Kind.hello, 1, "t", {}, {}]));
  for (let id = 1; id <= count; id++) {
    await writeFrame(connection, payload([Kind.call, id, 0, "svc", "big", []]));
  }
}

async function writeFrame(connection: Deno.Conn, frame: Uint8Array): Promise<void> {
  const bytes = new Uint8Array(4 + frame.length);
  new DataView(bytes.buffer).setUint32(0, frame.length, true);
  bytes.set(frame, 4);
  for (let at = 0; at < bytes.length;) at += await connection.write(bytes.subarray(at));
}
