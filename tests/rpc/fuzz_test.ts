import assert from "node:assert/strict";
import fc from "fast-check";
import { LimitExceededError, ProtocolError } from "../../src/errors.ts";
import { FrameReader } from "../../src/rpc/frame_reader.ts";
import { findLargeBody, LARGE_BODY_BYTES } from "../../src/rpc/large_body.ts";
import { DEFAULT_RPC_LIMITS, TypeRegistry } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { rawGuest, type RawPeer } from "./raw_peer.ts";
import { until } from "./until.ts";

const corpus: readonly Uint8Array[] = (await Deno.readTextFile(new URL("corpus/frames.txt", import.meta.url)))
  .split("\n").map((line) => line.replace(/#.*/, "").replaceAll(" ", "")).filter((line) => line !== "")
  .map((line) => Uint8Array.fromHex(line));

/** A small generator of its own, so that a failing seed can be run again. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor(state / 2 ** 32 * below);
  };
}

function mutated(next: (below: number) => number): Uint8Array {
  let frame = corpus[next(corpus.length)]!.slice();
  for (let change = 1 + next(4); change > 0 && frame.length > 0; change--) {
    const at = next(frame.length);
    switch (next(6)) {
      case 0:
        frame[at] = next(256);
        break;
      case 1:
        frame[at]! ^= 1 << next(8);
        break;
      case 2:
        frame = frame.slice(0, at);
        break;
      case 3:
        frame = Uint8Array.from([...frame.subarray(0, at), next(256), ...frame.subarray(at)]);
        break;
      case 4: {
        const other = corpus[next(corpus.length)]!;
        frame = Uint8Array.from([...frame.subarray(0, at), ...other.subarray(next(other.length))]);
        break;
      }
      default:
        frame[at] = [0xc1, 0xd4, 0xd9, 0xdc, 0xdd, 0xdf, 0x9f, 0x8f, 0xff, 0x00][next(10)]!;
    }
  }
  return frame;
}

async function victim(): Promise<RawPeer> {
  const types = new TypeRegistry();
  types.register<Date>("point", {
    test: (_): _ is Date => false,
    encode: () => null,
    decode: (payload) => {
      if (!Array.isArray(payload)) throw new TypeError("a point is an array");
      return new Date(0);
    },
  });
  const raw = await rawGuest({
    types,
    limits: { maxInFlight: 64 },
    onPeerClosed: () => Promise.resolve(new ProtocolError("Gone")),
  });
  raw.session.expose("svc", new Map([["echo", (...values: unknown[]) => values]]));
  raw.session.on("x", (payload) => payload);
  // So that replies, items and progress have something to belong to.
  raw.session.call("a", "b", [() => 1], { onProgress: () => {} }).catch(() => undefined);
  return raw;
}

/** More of them for a long run: `CORDON_FUZZ_SEEDS=1000 deno test -A tests/rpc/fuzz_test.ts`. */
const SEEDS = Number(Deno.env.get("CORDON_FUZZ_SEEDS") ?? 8);

for (let seed = 1; seed <= SEEDS; seed++) {
  Deno.test(`RpcSession survives or closes with a reason under mutated frames, seed ${seed}`, async () => {
    const next = random(seed);
    for (let round = 0; round < 60; round++) {
      await using raw = await victim();
      for (let frame = 0; frame < 20; frame++) raw.wire.send(mutated(next));
      raw.send(Kind.ping, 77);
      await until(() =>
        raw.session.state === "closed" || raw.received.some(([kind, id]) => kind === Kind.pong && id === 77)
      );
      if (raw.session.state === "closed") assert.ok(await raw.session.closed instanceof ProtocolError);
      assert.deepEqual(Object.keys(Object.prototype), []);
    }
  });
}

Deno.test("FrameReader.read() returns a message or throws a typed error, for every mutation of the corpus", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  const next = random(99);
  let decoded = 0;
  for (let round = 0; round < 20_000; round++) {
    try {
      assert.ok(Array.isArray(reader.read(mutated(next))));
      decoded++;
    } catch (error) {
      assert.ok(error instanceof ProtocolError || error instanceof LimitExceededError, String(error));
    }
  }
  // The fuzzer must reach what lies behind the reader.
  assert.ok(decoded > 1_000, `${decoded} frames were decoded`);
});

Deno.test("FrameReader.read() returns a message or throws a typed error, for any bytes", () => {
  const reader = new FrameReader({ maxNesting: 16, maxValues: 1000 });
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
      try {
        return Array.isArray(reader.read(bytes));
      } catch (error) {
        return error instanceof ProtocolError || error instanceof LimitExceededError;
      }
    }),
    { numRuns: 5000 },
  );
});

/** A message or the kind of failure. */
function outcome(read: () => unknown): unknown {
  try {
    return read();
  } catch (error) {
    assert.ok(error instanceof ProtocolError || error instanceof LimitExceededError, String(error));
    return "refused";
  }
}

Deno.test("FrameReader.read() makes the same of a frame with a body of its own as of the whole frame, mutated or not", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  const next = random(7);
  let split = 0;
  let read = 0;
  for (let round = 0; round < 3_000; round++) {
    const [before, after] = [0, 1].map(() => next(2) === 0 ? corpus[next(20)]! : mutated(next)) as [
      Uint8Array,
      Uint8Array,
    ];
    const length = LARGE_BODY_BYTES + next(3);
    const head = next(4) === 0 ? [0xc9, 0, 1, 0, length & 3, 18 + next(11)] : [0xc6, 0, 1, 0, length & 3];
    const frame = new Uint8Array(2 + before.length + head.length + length + after.length);
    frame.set([0x93, 15, ...before, ...head]);
    frame.set(after, frame.length - after.length);
    const place = findLargeBody(frame.subarray(0, 2 + before.length + head.length + next(100)), frame.length);
    if (place === undefined) continue;
    split++;
    const rest = new Uint8Array(frame.length - place.length);
    rest.set(frame.subarray(0, place.at));
    rest.set(frame.subarray(place.at + place.length), place.at);
    const bytes = frame.slice(place.at, place.at + place.length);
    const whole = outcome(() => reader.read(frame));
    if (whole !== "refused") read++;
    assert.deepEqual(outcome(() => reader.read(rest, { at: place.at, bytes })), whole);
  }
  assert.ok(split > 500 && read > 50, `${split} frames had a body, ${read} of them could be read`);
});
