/** What is handed over, and how much memory reading takes. */

import assert from "node:assert/strict";
import { FrameInput } from "../../src/transport/frame_input.ts";
import { type FrameReceiver, socketTransport } from "../../src/transport/mod.ts";

const BUFFER_BYTES = 256 * 1024;

/** A connection over which `chunks` arrive, one a read, and then the end; writes down how much each read asked for. */
function scriptedConnection(chunks: readonly Uint8Array[]): { connection: Deno.Conn; asked: number[] } {
  const asked: number[] = [];
  const left = [...chunks];
  const connection = {
    read(into: Uint8Array) {
      asked.push(into.length);
      const chunk = left.shift();
      if (chunk === undefined) return Promise.resolve(null);
      const count = Math.min(chunk.length, into.length);
      into.set(chunk.subarray(0, count));
      if (count < chunk.length) left.unshift(chunk.subarray(count));
      return Promise.resolve(count);
    },
    close() {},
  };
  return { connection: connection as unknown as Deno.Conn, asked };
}

/** Frames of these lengths, each filled with its own number. */
function framed(...lengths: number[]): Uint8Array {
  const bytes = new Uint8Array(lengths.reduce((sum, length) => sum + 4 + length, 0));
  let at = 0;
  for (const [index, length] of lengths.entries()) {
    new DataView(bytes.buffer).setUint32(at, length, true);
    bytes.fill(index + 1, at + 4, at + 4 + length);
    at += 4 + length;
  }
  return bytes;
}

interface Reading {
  readonly frames: number[];
  readonly bodies: number[];
  readonly asked: readonly number[];
  readonly input: FrameInput;
}

/** Reads everything; tells how long the frames and their bodies were. */
async function reading(
  chunks: readonly Uint8Array[],
  findBody?: NonNullable<FrameReceiver["findBody"]>,
): Promise<Reading> {
  const { connection, asked } = scriptedConnection(chunks);
  const input = new FrameInput({
    connection,
    maxFrameBytes: 16 * 2 ** 20,
    isClosed: () => false,
    hasAnswers: () => false,
  });
  const frames: number[] = [];
  const bodies: number[] = [];
  await input.readAll({
    onFrame(frame, body) {
      assert.ok(frame.every((byte) => byte === frame[0]), "of one frame only");
      frames.push(frame.length);
      bodies.push(body?.bytes.length ?? 0);
    },
    onClosed: () => assert.fail("the end is the caller's"),
    ...(findBody === undefined ? {} : { findBody }),
  });
  return { frames, bodies, asked, input };
}

Deno.test("socketTransport() that is closed while it hands over frames hands over no more", async () => {
  const { connection } = scriptedConnection([framed(1, 2, 3), framed(4)]);
  const transport = socketTransport(connection);
  const closed = Promise.withResolvers<Error | null>();
  const seen: string[] = [];
  transport.start({
    onFrame(frame) {
      seen.push(`${frame.length} bytes`);
      transport.close();
    },
    onClosed(error) {
      seen.push("closed");
      closed.resolve(error);
    },
  });
  assert.equal(await closed.promise, null);
  // The reader goes on in a later step, if it does.
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.deepEqual(seen, ["1 bytes", "closed"]);
});

Deno.test("FrameInput.readAll() looks again for a body that the first bytes did not show, up to 16 KiB", async () => {
  const frame = framed(1_000_000);
  const lengths: number[] = [];
  const find = (beginning: Uint8Array, from: number) => {
    lengths.push(beginning.length);
    return beginning.length < from ? undefined : { at: 10, length: 500_000 };
  };
  const cut = (...places: number[]) =>
    [0, ...places].map((from, index) => frame.subarray(from, places[index] ?? frame.length));
  const early = await reading(cut(4, 9, 104, 5000), (beginning) => find(beginning, 100));
  assert.deepEqual(lengths, [5, 100], "what is left is large, but has had its body");
  assert.deepEqual([early.frames, early.bodies], [[500_000], [500_000]]);
  assert.deepEqual([early.input.bytes, early.input.frames], [1_000_004, 1]);
  lengths.length = 0;
  const late = await reading(cut(9, 16_384, 16_400), (beginning) => find(beginning, 16_384));
  assert.deepEqual(lengths, [5, 16_380], "a peer that shows none is not asked for ever");
  assert.deepEqual([late.frames, late.bodies], [[1_000_000], [0]]);
  assert.deepEqual([late.input.bytes, late.input.frames], [1_000_004, 1]);
});

Deno.test("FrameInput.readAll() makes room for a large frame when enough of it has arrived, not when it is announced", async () => {
  const frame = framed(10_000_000);
  const { asked, frames } = await reading([
    frame.subarray(0, 5),
    frame.subarray(5, 20_000),
    frame.subarray(20_000),
  ]);
  assert.deepEqual(asked.slice(0, 3), [BUFFER_BYTES, BUFFER_BYTES - 5, frame.length - 20_000]);
  assert.deepEqual(frames, [10_000_000]);
});

Deno.test("FrameInput.readAll() keeps a large buffer for 63 small reads, then gives it back", async () => {
  const small = Array.from({ length: 70 }, () => framed(3));
  const { asked, frames } = await reading([framed(1_000_000), ...small]);
  assert.equal(frames.length, 71);
  // The first ones took the frame.
  const after = asked.slice(asked.length - 71);
  assert.deepEqual(after.slice(0, 64), Array(64).fill(1_000_004));
  assert.deepEqual(after.slice(64), Array(7).fill(BUFFER_BYTES));
});

Deno.test("FrameInput.readAll() gives no buffer back that what has arrived of a large frame needs", async () => {
  const small = Array.from({ length: 63 }, () => framed(3));
  const next = framed(400_000);
  const { frames } = await reading([
    framed(1_000_000),
    ...small,
    new Uint8Array([...framed(3), ...next.subarray(0, 300_000)]),
    next.subarray(300_000),
  ]);
  assert.deepEqual(frames, [1_000_000, ...Array(64).fill(3), 400_000]);
});
