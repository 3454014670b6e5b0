import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import fc from "fast-check";
import { LimitExceededError, ProtocolError } from "../../src/errors.ts";
import {
  copyPayload,
  type FrameTransport,
  memoryTransportPair,
  socketTransport,
} from "../../src/transport/mod.ts";
import { connectionPair, socketTransportPair } from "../rpc/session_pair.ts";

interface Received {
  readonly frames: Uint8Array[];
  readonly closed: Promise<Error | null>;
  count(frames: number): Promise<void>;
}

function receive(transport: FrameTransport): Received {
  const frames: Uint8Array[] = [];
  const closed = Promise.withResolvers<Error | null>();
  let wanted = 0;
  let reached = Promise.withResolvers<void>();
  transport.start({
    onFrame: (frame) => {
      frames.push(frame.slice());
      if (frames.length >= wanted) reached.resolve();
    },
    onClosed: closed.resolve,
  });
  return {
    frames,
    closed: closed.promise,
    count(count) {
      wanted = count;
      reached = Promise.withResolvers<void>();
      if (frames.length >= wanted) reached.resolve();
      return reached.promise;
    },
  };
}

const transports = {
  memory: () => Promise.resolve(memoryTransportPair()),
  socket: socketTransportPair,
};

for (const [name, pair] of Object.entries(transports)) {
  Deno.test(`FrameTransport over ${name} carries frames of any size, whole and in order`, async () => {
    const [left, right] = await pair();
    const atLeft = receive(left);
    const atRight = receive(right);
    const sizes = [
      0,
      1,
      3,
      4,
      5,
      1000,
      65_531,
      65_532,
      65_533,
      262_140,
      262_144,
      300_000,
      1,
      5_000_000,
      0,
      7,
    ];
    for (const [index, size] of sizes.entries()) right.send(new Uint8Array(size).fill(index + 1));
    await atLeft.count(sizes.length);
    assert.deepEqual(atLeft.frames.map((frame) => frame.length), sizes);
    for (const [index, frame] of atLeft.frames.entries()) {
      assert.ok(frame.every((byte) => byte === index + 1));
    }
    left.send(new Uint8Array([9]));
    await atRight.count(1);
    assert.deepEqual(atRight.frames, [new Uint8Array([9])]);
    right.close();
    assert.equal(await atLeft.closed, null);
    assert.equal(await atRight.closed, null);
  });

  Deno.test(`FrameTransport over ${name} copies what it is given`, async () => {
    const [left, right] = await pair();
    const atLeft = receive(left);
    receive(right);
    const bytes = new Uint8Array([1, 2]);
    right.send(bytes);
    bytes.fill(9);
    await atLeft.count(1);
    assert.deepEqual(atLeft.frames, [new Uint8Array([1, 2])]);
    left.close();
    right.close();
  });

  Deno.test(`FrameTransport over ${name} counts bytes and frames on both sides`, async () => {
    const [left, right] = await pair();
    const atLeft = receive(left);
    receive(right);
    right.send(new Uint8Array(6));
    right.send(new Uint8Array(4));
    await right.flushed();
    await atLeft.count(2);
    assert.deepEqual([right.counters.bytesOut, right.counters.framesOut, right.queuedBytes], [18, 2, 0]);
    assert.deepEqual([left.counters.bytesIn, left.counters.framesIn], [18, 2]);
    left.close();
    right.close();
  });

  Deno.test(`FrameTransport over ${name} closes once, drops what comes after, and starts once`, async () => {
    const [left, right] = await pair();
    const atLeft = receive(left);
    const atRight = receive(right);
    assert.throws(() => left.start({ onFrame: () => {}, onClosed: () => {} }), TypeError);
    left.close();
    left.close();
    left.send(new Uint8Array(1));
    await Promise.all([left.drained(), left.flushed()]);
    assert.equal(await atLeft.closed, null);
    assert.equal(await atRight.closed, null);
    assert.deepEqual(atRight.frames, []);
    right.close();
  });

  Deno.test(`FrameTransport over ${name} delivers what was flushed before the close`, async () => {
    const [left, right] = await pair();
    const atLeft = receive(left);
    receive(right);
    right.send(new Uint8Array([1]));
    await right.flushed();
    right.close();
    assert.equal(await atLeft.closed, null);
    assert.deepEqual(atLeft.frames, [new Uint8Array([1])]);
  });
}

Deno.test("socketTransport() finds the same frames however the bytes are cut", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 20 }),
      async (frames, cuts) => {
        const [raw, connection] = await connectionPair();
        const received = receive(socketTransport(connection));
        const bytes = Uint8Array.from(frames.flatMap((frame) => [frame.length, 0, 0, 0, ...frame]));
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          at += await raw.write(bytes.subarray(at, at + cuts[turn % cuts.length]!));
        }
        raw.close();
        assert.equal(await received.closed, null);
        assert.deepEqual(received.frames, frames);
      },
    ),
    { numRuns: 50 },
  );
});

Deno.test("socketTransport() reads a body into memory of its own, however the bytes are cut", async () => {
  const sizes = [300_000, 5, 1_000_000, 262_141, 70_000, 262_140];
  const frames = sizes.map((size) => Uint8Array.from({ length: size }, (_, index) => index * 31 >>> 3));
  for (
    const [at, cut] of [[0, 1000], [10, 65_536], [10, 1_000_000], [20_000, 300_001], [70_000, 7777]] as const
  ) {
    const [raw, connection] = await connectionPair();
    const received: [whole: Uint8Array, hasBody: boolean][] = [];
    const closed = Promise.withResolvers<Error | null>();
    socketTransport(connection).start({
      findBody: (beginning, length) =>
        at <= beginning.length ? { at, length: Math.floor((length - at) / 2) } : undefined,
      onFrame(frame, body) {
        const whole = new Uint8Array(frame.length + (body?.bytes.length ?? 0));
        copyPayload(whole, 0, frame, body === undefined ? undefined : [body]);
        received.push([whole, body !== undefined]);
      },
      onClosed: closed.resolve,
    });
    const bytes = new Uint8Array(frames.reduce((length, frame) => length + 4 + frame.length, 0));
    let end = 0;
    for (const frame of frames) {
      new DataView(bytes.buffer).setUint32(end, frame.length, true);
      bytes.set(frame, end + 4);
      end += 4 + frame.length;
    }
    for (let from = 0; from < end;) from += await raw.write(bytes.subarray(from, from + cut));
    raw.close();
    assert.equal(await closed.promise, null);
    assert.equal(received.length, frames.length);
    for (const [index, [whole, hasBody]] of received.entries()) {
      assert.equal(Buffer.compare(whole, frames[index]!), 0, `frame ${index}, cut every ${cut} bytes`);
      // Where the body shows late the frame is read as a whole.
      if (at <= 10) assert.equal(hasBody, frames[index]!.length + 4 > 262_144);
    }
  }
});

for (const [name, pair] of Object.entries(transports)) {
  Deno.test(`FrameTransport over ${name} sends bodies as they are at the call, at any place and in any order`, async () => {
    const [left, right] = await pair();
    receive(left);
    const atRight = receive(right);
    const pattern = (length: number, seed: number) =>
      Uint8Array.from({ length }, (_, index) => (index * seed >>> 5) ^ seed);
    const sizes: readonly (readonly [places: readonly number[], lengths: readonly number[]])[] = [
      [[0], [131_072]],
      [[0], [131_073]],
      [[5], [1_000_000]],
      [[20], [300_000]],
      [[5, 5, 20], [200_000, 1, 400_000]],
      [[3, 9], [7, 500_000]],
      [[9, 9], [600_000, 0]],
    ];
    const sent: Uint8Array[] = [];
    for (const pause of [false, true]) {
      for (const [index, [places, lengths]] of sizes.entries()) {
        const payload = pattern(20, index + 3);
        const bodies = places.map((at, body) => ({ at, bytes: pattern(lengths[body]!, 17 * index + body) }));
        const whole = new Uint8Array(20 + lengths.reduce((sum, length) => sum + length, 0));
        copyPayload(whole, 0, payload, bodies);
        left.send(payload, bodies);
        for (const bytes of [payload, ...bodies.map((body) => body.bytes)]) bytes.fill(255);
        left.send(Uint8Array.of(index));
        sent.push(whole, Uint8Array.of(index));
        // Idle before the next one, or busy.
        if (pause) await atRight.count(sent.length);
      }
    }
    await atRight.count(sent.length);
    for (const [index, frame] of atRight.frames.entries()) {
      assert.equal(Buffer.compare(frame, sent[index]!), 0, `frame ${index}`);
    }
    assert.equal(left.queuedBytes, 0);
    assert.equal(left.counters.framesOut, sent.length);
    left.close();
    await atRight.closed;
  });
}

Deno.test("socketTransport() that is closed while a large frame is on its way ends without an error", async () => {
  const [left, raw] = await connectionPair();
  const transport = socketTransport(left);
  const received = receive(transport);
  transport.send(new Uint8Array(3), [{ at: 1, bytes: new Uint8Array(4_000_000) }]);
  const buffer = new Uint8Array(65_536);
  let bytes = await raw.read(buffer) ?? 0;
  assert.ok(bytes > 0, "it has begun");
  transport.close();
  assert.equal(await received.closed, null);
  for (let count; (count = await raw.read(buffer)) !== null;) bytes += count;
  assert.ok(bytes < 4_000_000, "the rest was dropped");
  raw.close();
});

Deno.test("socketTransport() reports a connection that ends within a body", async () => {
  const [raw, connection] = await connectionPair();
  const closed = Promise.withResolvers<Error | null>();
  socketTransport(connection).start({
    findBody: () => ({ at: 1, length: 299_999 }),
    onFrame: () => assert.fail("no frame is whole"),
    onClosed: closed.resolve,
  });
  const beginning = new Uint8Array(1004);
  new DataView(beginning.buffer).setUint32(0, 300_000, true);
  await raw.write(beginning);
  raw.close();
  assert.match(String(await closed.promise), /the connection ended within it: after 1004 bytes/);
});

Deno.test("socketTransport() refuses a header of 4 GiB before it allocates", async () => {
  const [raw, connection] = await connectionPair();
  const received = receive(socketTransport(connection, { maxFrameBytes: 1000 }));
  await raw.write(new Uint8Array([255, 255, 255, 255]));
  const error = await received.closed;
  assert.ok(error instanceof ProtocolError && error.cause instanceof LimitExceededError);
  assert.deepEqual([error.cause.limit, error.cause.asked, error.cause.allowed], [
    "maxFrameBytes",
    2 ** 32 - 1,
    1000,
  ]);
  raw.close();
});

Deno.test("socketTransport() takes a frame at the limit and refuses one byte more", async () => {
  for (const [size, isTaken] of [[1000, true], [1001, false]] as const) {
    const [raw, connection] = await connectionPair();
    const received = receive(socketTransport(connection, { maxFrameBytes: 1000 }));
    const frame = new Uint8Array(4 + size);
    new DataView(frame.buffer).setUint32(0, size, true);
    await raw.write(frame);
    raw.close();
    const error = await received.closed;
    assert.equal(error === null, isTaken);
    assert.equal(received.frames.length, isTaken ? 1 : 0);
  }
});

Deno.test("socketTransport() reports a connection that ends within a frame, at every byte", async () => {
  const whole = new Uint8Array([3, 0, 0, 0, 7, 8, 9]);
  for (let length = 0; length <= whole.length; length++) {
    const [raw, connection] = await connectionPair();
    const received = receive(socketTransport(connection));
    if (length > 0) await raw.write(whole.subarray(0, length));
    raw.close();
    const error = await received.closed;
    if (length === 0 || length === whole.length) assert.equal(error, null);
    else assert.match(String(error), new RegExp(`the connection ended within it: after ${length} bytes`));
  }
});

Deno.test("socketTransport() ends with a peer that is still there and reads no more", async () => {
  const { connection } = deafConnection();
  const transport = socketTransport(connection);
  const received = receive(transport);
  transport.send(new Uint8Array(1));
  assert.match(String(await received.closed), /the peer shut down its reading side: it is still connected/);
});

Deno.test("socketTransport() waits for nothing when a peer that reads no more ends", async () => {
  const { connection, end } = deafConnection();
  const transport = socketTransport(connection);
  const received = receive(transport);
  transport.send(new Uint8Array(1));
  await transport.flushed();
  end();
  // A timer that is left behind fails this test.
  assert.equal(await received.closed, null);
});

/** A connection whose other side has shut down reading, until it ends. */
function deafConnection(): { readonly connection: Deno.Conn; readonly end: () => void } {
  const { promise, resolve } = Promise.withResolvers<null>();
  const connection = {
    read: () => promise,
    write: () => Promise.reject(new Deno.errors.BrokenPipe("Broken pipe")),
    close: () => resolve(null),
  };
  return { connection: connection as unknown as Deno.Conn, end: () => resolve(null) };
}

Deno.test("socketTransport() holds writers back until the peer reads", async () => {
  const [raw, connection] = await connectionPair();
  const transport = socketTransport(connection);
  receive(transport);
  transport.send(new Uint8Array(2_000_000));
  let isDrained = false;
  const drained = transport.drained().then(() => isDrained = true);
  // One turn of the event loop: time enough for a promise that does not wait.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(isDrained, false);
  assert.ok(transport.queuedBytes > 256 * 1024);
  const buffer = new Uint8Array(65_536);
  for (let left = 2_000_004; left > 0;) left -= await raw.read(buffer) ?? left;
  await drained;
  await transport.flushed();
  assert.equal(transport.queuedBytes, 0);
  transport.close();
  raw.close();
});
