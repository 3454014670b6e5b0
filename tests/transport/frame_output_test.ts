/** What is written when, one write at a time, and what becomes of it when writing ends. */

import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { frameLength, writeFrameLength } from "../../src/transport/frame_header.ts";
import { FrameOutput } from "../../src/transport/frame_output.ts";

const PART_BYTES = 32 * 1024;
const BEGINNING_BYTES = 64 * 1024;
const LOW_WATER_BYTES = 256 * 1024;

/** A connection whose writes end when the test says so. */
class SlowConnection {
  /** What each write was given. */
  readonly writes: Uint8Array[] = [];
  readonly #taken: Uint8Array[] = [];
  #ended: PromiseWithResolvers<number> | undefined;
  readonly failures: unknown[] = [];
  readonly output = new FrameOutput(this as unknown as Deno.Conn, (error) => {
    this.failures.push(error);
    this.output.stop();
  });

  write(bytes: Uint8Array): Promise<number> {
    assert.equal(this.#ended, undefined, "one write at a time");
    this.writes.push(bytes);
    this.#ended = Promise.withResolvers();
    return this.#ended.promise;
  }

  /** Lets the write under way end, and the writer go on. */
  async take(count: number = this.writes.at(-1)!.length): Promise<void> {
    const ended = this.#ended!;
    this.#ended = undefined;
    // What is with the kernel may be read at any time until then.
    this.#taken.push(this.writes.at(-1)!.slice(0, count));
    ended.resolve(count);
    await turn();
  }

  async fail(error: Error): Promise<void> {
    this.#ended!.reject(error);
    this.#ended = undefined;
    await turn();
  }

  /** Takes everything; the lengths and first bytes of the frames. */
  async frames(): Promise<string[]> {
    while (this.#ended !== undefined) await this.take();
    const bytes = Buffer.concat(this.#taken);
    const frames: string[] = [];
    for (let at = 0; at < bytes.length;) {
      const frame = bytes.subarray(at + 4, at + 4 + frameLength(bytes, at));
      assert.ok(frame.every((byte) => byte === frame[0]), "of one frame only");
      frames.push(`${frame.length} of ${frame[0]}`);
      at += 4 + frame.length;
    }
    return frames;
  }

  get written(): number[] {
    return this.writes.map((bytes) => bytes.length);
  }
}

/** Enough steps for a writer to go on. */
async function turn(): Promise<void> {
  for (let step = 0; step < 10; step++) await undefined;
}

const frame = (length: number, byte: number) => new Uint8Array(length).fill(byte);
/** A frame with a body in it. */
function sendBody({ output }: SlowConnection, length: number, byte: number): void {
  output.send(frame(4, byte), [{ at: 2, bytes: frame(length - 4, byte) }]);
}

Deno.test("FrameOutput.send() collects what is small in one write, after one microtask", async () => {
  const connection = new SlowConnection();
  const { output } = connection;
  const { queueMicrotask } = globalThis;
  let microtasks = 0;
  globalThis.queueMicrotask = (run) => (microtasks++, queueMicrotask(run));
  try {
    for (let index = 0; index < 3; index++) output.send(frame(10, index));
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
  assert.deepEqual([connection.written, microtasks, output.queuedBytes, output.hasPart], [[], 1, 42, false]);
  await turn();
  assert.deepEqual([connection.written, output.queuedBytes], [[42], 42]);
  output.send(frame(PART_BYTES - 4, 3));
  assert.deepEqual([output.queuedBytes, output.hasPart], [42 + PART_BYTES, true]);
  await connection.take();
  assert.deepEqual([connection.written, output.queuedBytes], [[42, PART_BYTES], PART_BYTES]);
  assert.equal(output.hasPart, false, "what is being written does not wait");
  assert.deepEqual(await connection.frames(), ["10 of 0", "10 of 1", "10 of 2", `${PART_BYTES - 4} of 3`]);
});

Deno.test("FrameOutput.send() writes once at a time, in order, whatever comes in one turn", async () => {
  const sizes: readonly ((connection: SlowConnection) => void)[] = [
    (connection) => connection.output.send(frame(1, 1)),
    (connection) => connection.output.send(frame(PART_BYTES, 2)),
    (connection) => connection.output.send(frame(100_000, 3)),
    (connection) => sendBody(connection, 200_000, 4),
  ];
  const names = ["1 of 1", `${PART_BYTES} of 2`, "100000 of 3", "200000 of 4"];
  for (let choice = 0; choice < 4 ** 3; choice++) {
    const connection = new SlowConnection();
    const order = [choice >> 4, choice >> 2 & 3, choice & 3];
    for (const kind of order) sizes[kind]!(connection);
    await turn();
    await connection.take(1);
    await connection.take();
    sizes[order[0]!]!(connection);
    await turn();
    assert.deepEqual(
      await connection.frames(),
      [...order, order[0]!].map((kind) => names[kind]),
      order.join(),
    );
    assert.equal(connection.output.queuedBytes, 0);
  }
});

Deno.test("FrameOutput.send() writes the beginning of a body of more than 128 KiB before it copies the rest", async () => {
  for (
    const [length, writes] of [
      [2 * BEGINNING_BYTES + 4, [2 * BEGINNING_BYTES + 8]],
      [2 * BEGINNING_BYTES + 5, [BEGINNING_BYTES + 6, BEGINNING_BYTES + 3]],
    ] as const
  ) {
    const connection = new SlowConnection();
    sendBody(connection, length, 7);
    assert.deepEqual(connection.written, writes.slice(0, 1));
    assert.deepEqual(await connection.frames(), [`${length} of 7`]);
    assert.deepEqual(connection.written, writes);
  }
});

Deno.test("FrameOutput.drained() and flushed() resolve when little and when nothing is left, or when it stops", async () => {
  const connection = new SlowConnection();
  const { output } = connection;
  const events: string[] = [];
  const wait = () => {
    output.drained().then(() => events.push("drained"));
    output.flushed().then(() => events.push("flushed"));
  };
  output.send(frame(300_000, 1));
  wait();
  await connection.take(300_004 - LOW_WATER_BYTES);
  output.send(frame(1, 1));
  assert.deepEqual(events, []);
  await connection.take(LOW_WATER_BYTES);
  assert.deepEqual(events, ["drained"]);
  await connection.take();
  assert.deepEqual([events, connection.written.length], [["drained", "flushed"], 3]);
  events.length = 0;
  output.send(frame(1_000_000, 1));
  output.send(frame(300_000, 1));
  wait();
  await connection.take();
  assert.deepEqual([events, output.queuedBytes], [[], 300_004], "what came meanwhile waits as well");
  output.send(frame(1, 1));
  output.stop();
  await turn();
  assert.deepEqual(events, ["drained", "flushed"]);
});

Deno.test("FrameOutput.drained() and flushed() forget who was woken", async () => {
  const connection = new SlowConnection();
  const { output } = connection;
  const { Promise } = globalThis;
  let wakes = 0;
  class CountedPromise<T> extends Promise<T> {
    constructor(run: ConstructorParameters<typeof Promise<T>>[0]) {
      super((resolve, reject) => run((value) => (wakes++, resolve(value)), reject));
    }
  }
  for (let round = 1; round <= 3; round++) {
    output.send(frame(300_000, 1));
    globalThis.Promise = CountedPromise;
    try {
      output.drained();
      output.flushed();
    } finally {
      globalThis.Promise = Promise;
    }
    await connection.take();
    assert.equal(wakes, 2 * round);
  }
});

Deno.test("FrameOutput.stop() drops what waits and what comes, also while a write is under way", async () => {
  for (const isCounted of [false, true]) {
    const connection = new SlowConnection();
    const { output } = connection;
    output.send(frame(40_000, 1));
    output.send(frame(40_000, 2));
    const { bytes, frames } = output;
    output.stop();
    output.stop();
    assert.equal(output.queuedBytes, 0);
    // Part of it was written, or all of it.
    await connection.take(isCounted ? undefined : 10);
    output.send(frame(40_000, 3));
    await turn();
    assert.deepEqual([output.queuedBytes, output.bytes, output.frames], [0, bytes, frames]);
    assert.deepEqual([connection.written, connection.failures], [[40_004], []]);
  }
});

Deno.test("FrameOutput tells a failed write once, and writes no more", async () => {
  const connection = new SlowConnection();
  const { output } = connection;
  output.send(frame(300_000, 1));
  output.send(frame(1, 2));
  const waiting = Promise.all([output.drained(), output.flushed()]);
  const error = new Deno.errors.BrokenPipe("gone");
  await connection.fail(error);
  await waiting;
  output.send(frame(1, 3));
  await turn();
  assert.deepEqual([connection.failures, connection.writes.length, output.queuedBytes], [[error], 1, 0]);
});

Deno.test("FrameOutput.send() uses memory again, but keeps no large buffer for more than 64 small frames", async () => {
  const connection = new SlowConnection();
  const { output, writes } = connection;
  const capacity = () => writes.at(-1)!.buffer.byteLength;
  const flush = async (length: number) => {
    output.send(frame(length, 1));
    await turn();
    await connection.take();
  };
  await flush(100);
  const { buffer } = writes[0]!;
  await flush(100);
  assert.equal(writes[1]!.buffer, buffer, "the memory that was just used");
  await flush(1_000_000);
  const large = capacity();
  for (let use = 0; use < 64; use++) {
    await flush(100);
    assert.equal(capacity(), large, `use ${use}`);
  }
  await flush(100);
  assert.equal(capacity(), 64 * 1024);
});

Deno.test("writeFrameLength() writes what frameLength() reads, of every byte", () => {
  const buffer = new Uint8Array(10).fill(0xaa);
  for (const length of [0, 1, 0xff, 0x1234, 0xfedcba, 0x1000000, 0x12345678, 0xfffffffe]) {
    writeFrameLength(buffer, 3, length);
    assert.equal(frameLength(buffer, 3), length);
    assert.equal(new DataView(buffer.buffer).getUint32(3, true), length);
  }
  assert.deepEqual([buffer[2], buffer[7]], [0xaa, 0xaa]);
});
