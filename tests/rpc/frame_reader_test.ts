import assert from "node:assert/strict";
import fc from "fast-check";
import { ProtocolError } from "../../src/errors.ts";
import { FrameReader } from "../../src/rpc/frame_reader.ts";
import { findLargeBody, LARGE_BODY_BYTES } from "../../src/rpc/large_body.ts";
import { DEFAULT_RPC_LIMITS, RpcSession, TypeRegistry } from "../../src/rpc/mod.ts";
import type { ReferenceTable } from "../../src/rpc/references.ts";
import { SignalTable } from "../../src/rpc/signal_table.ts";
import type { StreamTable } from "../../src/rpc/stream_table.ts";
import { ValueWriter } from "../../src/rpc/value_writer.ts";
import { copyPayload, memoryTransportPair } from "../../src/transport/mod.ts";
import { foreignDecode, foreignEncode } from "./msgpack_extensions.ts";

/** Values that both implementations mean the same by. */
const plain = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 6 },
    fc.oneof(
      fc.integer(),
      fc.maxSafeInteger(),
      fc.double(),
      fc.boolean(),
      fc.constantFrom(null, undefined, -0, 2 ** 31, 2 ** 32, -(2 ** 31) - 1, 127, 128, -32, -33, 65_536),
      fc.string({ unit: "grapheme", maxLength: 80 }).filter((text) => text.charCodeAt(0) !== 0xfeff),
      fc.nat(70).map((length) => "é€😀x".repeat(length)),
      fc.uint8Array({ maxLength: 300 }),
    ),
    fc.array(tie("tree"), { maxLength: 20 }),
    fc.dictionary(
      fc.string({ unit: "grapheme", maxLength: 40 }).filter((key) =>
        key !== "__proto__" && key.charCodeAt(0) !== 0xfeff
      ),
      tie("tree"),
      { maxKeys: 20, noNullPrototype: true },
    ),
  ),
})).tree;

function writer(): ValueWriter {
  return new ValueWriter({
    session: new RpcSession(memoryTransportPair()[0], { role: "host", token: "t" }),
    references: undefined as unknown as ReferenceTable,
    streams: undefined as unknown as StreamTable,
    signals: new SignalTable(() => {}, 1),
    types: new TypeRegistry(),
    sendStacks: false,
    bytesInFlight: () => 0,
  });
}

/** The whole frame, bodies included. */
function frameOf(values: ValueWriter, value: unknown): Uint8Array {
  const head = values.write([6, 1, value], "$", DEFAULT_RPC_LIMITS);
  const frame = new Uint8Array(values.length);
  copyPayload(frame, 0, head, values.bodies());
  return frame;
}

Deno.test("ValueWriter writes what another MessagePack implementation reads", () => {
  const values = writer();
  fc.assert(
    fc.property(plain, (value) => {
      assert.deepEqual(foreignDecode(frameOf(values, value)), [6, 1, value]);
    }),
    { numRuns: 500 },
  );
});

Deno.test("FrameReader.read() reads what another MessagePack implementation writes", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  fc.assert(
    fc.property(plain, (value) => {
      assert.deepEqual(reader.read(foreignEncode([6, 1, value])), [6, 1, value]);
    }),
    { numRuns: 500 },
  );
});

Deno.test("FrameReader.read() takes no text that is not UTF-8", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  const bad = [[0xff], [0xc3], [0x80, 0x41], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xf8, 0x88, 0x80, 0x80]];
  for (const bytes of bad) {
    for (const head of [[0x91], [0x91, 0x81]]) {
      const frame = Uint8Array.from([...head, 0xa0 | bytes.length, ...bytes, 0xc0]);
      assert.throws(() => reader.read(frame), { name: "ProtocolError", message: /not UTF-8/ });
    }
  }
  assert.deepEqual(reader.read(Uint8Array.from([0x91, 0xa4, 0xf0, 0x9f, 0x98, 0x80])), ["😀"]);
});

Deno.test("FrameReader.read() never takes one key for another, however many there are", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  for (let round = 0; round < 3; round++) {
    for (let number = 0; number < 5000; number++) {
      const record = { [`key${number}`]: number, [`${number}`.padStart(40, "k")]: 1, same: 2, [""]: 3 };
      assert.deepEqual(reader.read(foreignEncode([record])), [record]);
    }
  }
});

Deno.test("findLargeBody() finds the first large binary at any cut behind its head, and changes no message", () => {
  const values = writer();
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  const large = fc.integer({ min: LARGE_BODY_BYTES, max: LARGE_BODY_BYTES + 20 }).chain((length) =>
    fc.constantFrom(new Uint8Array(length).fill(7), new Float32Array(length).fill(0.5))
  );
  fc.assert(
    fc.property(plain, large, plain, fc.nat(), (before, body, after, seed) => {
      const frame = frameOf(values, [before, body, after]);
      const place = findLargeBody(frame, frame.length)!;
      assert.equal(place.length, body.byteLength);
      for (const cut of [place.at, place.at + 1, place.at + seed % place.length]) {
        assert.deepEqual(findLargeBody(frame.subarray(0, cut), frame.length), place);
      }
      const bytes = frame.slice(place.at, place.at + place.length);
      const rest = Uint8Array.from([
        ...frame.subarray(0, place.at),
        ...frame.subarray(place.at + place.length),
      ]);
      const message = reader.read(rest, { at: place.at, bytes });
      assert.deepEqual(message, reader.read(frame));
      assert.equal(((message[2] as unknown[])[1] as ArrayBufferView).buffer, bytes.buffer);
    }),
    { numRuns: 60 },
  );
});

Deno.test("findLargeBody() names no place outside the frame, for any bytes", () => {
  const heads = fc.constantFrom(0xc4, 0xc6, 0xc9, 0xc8, 0xdb, 0xdd, 0xdf, 0x91, 0x81, 0xa1, 0xc1, 0xd8, 0xcf);
  const bytes = fc.array(fc.oneof(heads, fc.nat(255)), { maxLength: 40 });
  fc.assert(
    fc.property(bytes, fc.nat(1 << 20), (bytes, more) => {
      const beginning = Uint8Array.from(bytes);
      const length = beginning.length + more;
      const place = findLargeBody(beginning, length);
      if (place === undefined) return;
      assert.ok(place.at <= beginning.length && place.at + place.length <= length);
      assert.ok(place.length >= LARGE_BODY_BYTES);
    }),
    { numRuns: 20_000 },
  );
});

Deno.test("FrameReader.read() counts what containers around a value still owe", () => {
  const message = [[1, 1, 1], 1, 1, 1, 1];
  const read = (maxValues: number) =>
    new FrameReader({ maxNesting: 8, maxValues }).read(foreignEncode(message));
  assert.deepEqual(read(9), message);
  assert.throws(() => read(8), { name: "LimitExceededError", limit: "maxValues", asked: 9 });
});

Deno.test("FrameReader.read() refuses a body that belongs to nothing", () => {
  const reader = new FrameReader(DEFAULT_RPC_LIMITS);
  const body = { at: 1, bytes: new Uint8Array(LARGE_BODY_BYTES) };
  assert.throws(() => reader.read(Uint8Array.from([0x91, 0xc0]), body), ProtocolError);
  const claimsLess = Uint8Array.from([0x91, 0xc6, 0, 0, 0, 1]);
  assert.throws(() => reader.read(claimsLess, { ...body, at: 6 }), ProtocolError);
});
