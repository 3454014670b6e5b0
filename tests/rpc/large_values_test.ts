import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { LimitExceededError, SerializationError } from "../../src/errors.ts";
import { TypeRegistry } from "../../src/rpc/mod.ts";
import { type SessionPair, sessionPair } from "./session_pair.ts";

const MIB = 1024 * 1024;

async function echoPair(options: Parameters<typeof sessionPair>[0] = {}): Promise<SessionPair> {
  const pair = await sessionPair(options, "socket");
  pair.guest.expose("echo", new Map([["echo", (...values: unknown[]) => values]]));
  return pair;
}

function numbered(length: number): Uint8Array<ArrayBuffer> {
  return Uint8Array.from({ length }, (_, index) => index * 7 + (index >>> 8));
}

const large: Readonly<Record<string, (bytes: Uint8Array<ArrayBuffer>) => unknown>> = {
  "Uint8Array": (bytes) => bytes,
  "ArrayBuffer": (bytes) => bytes.buffer,
  "DataView": (bytes) => new DataView(bytes.buffer),
  "Float64Array": (bytes) => new Float64Array(bytes.buffer),
  "Int16Array": (bytes) => new Int16Array(bytes.buffer),
};

for (const [what, make] of Object.entries(large)) {
  Deno.test(`RpcSession.call() carries a large ${what} exactly, into a buffer of its own`, async () => {
    await using pair = await echoPair();
    for (const size of [65_528, 65_536, 262_136, 262_144, MIB, 3 * MIB + 8]) {
      const bytes = numbered(size);
      const [text, value, rest] = await pair.host.call("echo", "echo", [
        "before",
        make(bytes),
        [{ after: 1 }, -0],
      ]) as [string, Uint8Array | ArrayBuffer, unknown];
      const copy = value instanceof ArrayBuffer ? new Uint8Array(value) : new Uint8Array(value.buffer);
      assert.equal(value.constructor.name, what);
      assert.equal(copy.byteLength, size);
      assert.equal(Buffer.compare(copy, bytes), 0);
      assert.deepEqual([text, rest], ["before", [{ after: 1 }, -0]]);
    }
  });
}

Deno.test("RpcSession.call() carries several large values in one frame, wherever they lie", async () => {
  await using pair = await echoPair();
  const shapes: readonly (readonly unknown[])[] = [
    [numbered(MIB), numbered(MIB + 1)],
    ["x".repeat(100_000), numbered(MIB), "y".repeat(300_000)],
    [numbered(70_000), "z".repeat(MIB)],
    [new Array(30_000).fill(1), { deep: [[numbered(400_000)]] }],
    [new Map([["a", numbered(300_000)]]), numbered(10), new Set([numbered(300_001)])],
  ];
  for (const values of shapes) assert.deepEqual(await pair.host.call("echo", "echo", values), values);
});

Deno.test("RpcSession counts the bytes of large values on both sides", async () => {
  await using pair = await echoPair();
  const before = pair.guest.stats().bytesIn;
  await pair.host.call("echo", "echo", [numbered(MIB)]);
  assert.equal(pair.host.stats().bytesOut, pair.guest.stats().bytesIn);
  assert.equal(pair.guest.stats().bytesOut, pair.host.stats().bytesIn);
  assert.ok(pair.guest.stats().bytesIn - before > MIB);
});

Deno.test("RpcSession.call() reads large bytes before it returns: changing them later changes nothing", async () => {
  await using pair = await echoPair();
  const bytes = numbered(MIB);
  const call = pair.host.call("echo", "echo", [bytes]);
  bytes.fill(0);
  const [copy] = await call as [Uint8Array];
  assert.equal(Buffer.compare(copy, numbered(MIB)), 0);
});

Deno.test("RpcSession.call() rejects bytes that were transferred, before or while they are sent", async () => {
  class Thief {
    constructor(readonly bytes: Uint8Array<ArrayBuffer>) {}
  }
  const types = new TypeRegistry();
  types.register<Thief>("thief", {
    test: (value): value is Thief => value instanceof Thief,
    encode: ({ bytes }) => bytes.buffer.transfer().byteLength,
    decode: () => null as unknown as Thief,
  });
  await using pair = await echoPair({ both: { types } });
  const gone = numbered(8);
  gone.buffer.transfer();
  const view = new DataView(new ArrayBuffer(8));
  view.buffer.transfer();
  for (const value of [gone, gone.buffer, view]) {
    await assert.rejects(pair.host.call("echo", "echo", [{ value }]), {
      name: "SerializationError",
      path: "$.args[0].value",
      message: /their buffer was transferred/,
    });
  }
  const bytes = numbered(MIB);
  await assert.rejects(pair.host.call("echo", "echo", [bytes, new Thief(bytes)]), {
    name: "SerializationError",
    message: /must stay as they are while they are sent/,
  });
  assert.deepEqual(await pair.host.call("echo", "echo", [1]), [1]);
});

Deno.test("RpcSession.call() refuses what is larger than the peer accepts before it is copied", async () => {
  await using pair = await echoPair({ guest: { limits: { maxFrameBytes: MIB } } });
  for (const value of [new Uint8Array(64 * MIB), "x".repeat(8 * MIB), new Array(900_000).fill("abcd")]) {
    await assert.rejects(pair.host.call("echo", "echo", [value]), (error) => {
      assert.ok(error instanceof LimitExceededError);
      assert.equal(error.limit, "maxFrameBytes");
      assert.ok(error.asked > MIB);
      return true;
    });
  }
  assert.deepEqual(await pair.host.call("echo", "echo", [1]), [1]);
});

Deno.test("RpcSession.call() counts values as the peer does: as many as maxValues pass, one more does not", async () => {
  await using pair = await echoPair({ both: { limits: { maxValues: 1000 } } });
  // The message, its six fields and the array itself are values too.
  const most = new Array(1000 - 8).fill(0);
  assert.deepEqual(await pair.host.call("echo", "echo", [most]), [most]);
  await assert.rejects(pair.host.call("echo", "echo", [[...most, 0]]), SerializationError);
  assert.deepEqual(await pair.host.call("echo", "echo", [1]), [1]);
});

Deno.test("RpcSession.call() keeps its order when writing a value makes calls itself", async () => {
  class Lazy {
    constructor(readonly depth: number) {}
  }
  const inner: Promise<unknown>[] = [];
  const types = new TypeRegistry();
  types.register<Lazy>("lazy", {
    test: (value): value is Lazy => value instanceof Lazy,
    encode: ({ depth }, { session }) => {
      if (depth > 0) inner.push(session.call("echo", "echo", [depth, new Lazy(depth - 1), () => depth]));
      return depth;
    },
    decode: (payload) => payload as Lazy,
  });
  await using nested = await echoPair({ both: { types } });
  const value = [new Lazy(3), {
    get now() {
      inner.push(nested.host.call("echo", "echo", ["getter"]));
      return 5;
    },
  }, new Lazy(2)];
  assert.deepEqual(await nested.host.call("echo", "echo", value), [3, { now: 5 }, 2]);
  const answers = await Promise.all(inner) as unknown[][];
  assert.deepEqual(answers.map(([first]) => first), [1, 2, 3, "getter", 1, 2]);
  await nested.host.ping();
});
