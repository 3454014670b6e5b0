/** How a transport over a socket ends: with which error, once, and with nothing left behind. */

import assert from "node:assert/strict";
import { LimitExceededError } from "../../src/errors.ts";
import { type FrameReceiver, type FrameTransport, socketTransport } from "../../src/transport/mod.ts";

/** A connection whose reads and writes end when the test says so. */
class HeldConnection {
  readonly reading = Promise.withResolvers<number | null>();
  readonly writing = Promise.withResolvers<number>();
  closes = 0;
  read = (_into: Uint8Array): Promise<number | null> => this.reading.promise;
  write = (_bytes: Uint8Array): Promise<number> => this.writing.promise;
  close(): void {
    this.closes++;
  }
}

/** What the receiver of a transport over such a connection is told. */
class Ending implements FrameReceiver {
  readonly connection = new HeldConnection();
  readonly transport: FrameTransport = socketTransport(this.connection as unknown as Deno.Conn);
  readonly ends: (Error | null)[] = [];
  readonly #closed = Promise.withResolvers<void>();
  /** Resolves at the first end. */
  readonly closed = this.#closed.promise;

  onFrame(): void {
    assert.fail("nothing is sent");
  }

  onClosed(error: Error | null): void {
    this.ends.push(error);
    this.#closed.resolve();
  }
}

const PEER_IS_GONE = [
  new Deno.errors.BadResource("closed here"),
  new Deno.errors.Interrupted("closed here"),
  new Deno.errors.BrokenPipe("closed there"),
  new Deno.errors.ConnectionReset("closed there"),
];

Deno.test("socketTransport() ends in order when the peer is gone, however reading tells it", async () => {
  for (const error of PEER_IS_GONE) {
    const ending = new Ending();
    ending.transport.start(ending);
    ending.connection.reading.reject(error);
    await ending.closed;
    ending.transport.close();
    assert.deepEqual([ending.ends, ending.connection.closes], [[null], 1], error.name);
  }
});

Deno.test("socketTransport() leaves the end to the reader when the peer is gone, however writing tells it", async () => {
  for (const error of PEER_IS_GONE) {
    const ending = new Ending();
    ending.transport.start(ending);
    ending.transport.send(new Uint8Array(300_000));
    const flushed = ending.transport.flushed();
    const delays = await timersDuring(async () => {
      ending.connection.writing.reject(error);
      await flushed;
    });
    assert.deepEqual(delays, [1000], "time enough to read what was sent before");
    assert.deepEqual([ending.ends, ending.connection.closes, ending.transport.queuedBytes], [[], 0, 0]);
    ending.connection.reading.resolve(null);
    await ending.closed;
    assert.deepEqual([ending.ends, ending.connection.closes], [[null], 1], error.name);
  }
});

Deno.test("socketTransport() ends with any other error of reading or writing, once", async () => {
  for (const what of ["reading", "writing"] as const) {
    for (const thrown of [new Deno.errors.NotConnected("no"), new TypeError("no"), "no"]) {
      const ending = new Ending();
      ending.transport.start(ending);
      ending.transport.send(new Uint8Array(300_000));
      const waiting = Promise.all([ending.transport.flushed(), ending.transport.drained()]);
      ending.connection[what].reject(thrown);
      await ending.closed;
      await waiting;
      ending.transport.close();
      const [error] = ending.ends;
      if (thrown instanceof Error) assert.equal(error, thrown);
      else assert.deepEqual(error, new Error("no"));
      assert.deepEqual([ending.ends.length, ending.connection.closes], [1, 1], what);
    }
  }
});

Deno.test("socketTransport() that is closed while it writes tells the end once, and leaves no timer", async () => {
  const ending = new Ending();
  ending.transport.start(ending);
  ending.transport.send(new Uint8Array(300_000));
  const waiting = Promise.all([ending.transport.flushed(), ending.transport.drained()]);
  ending.transport.close();
  assert.deepEqual([ending.ends, ending.transport.queuedBytes], [[null], 0]);
  await waiting;
  for (const held of [ending.connection.reading, ending.connection.writing]) {
    held.reject(new Deno.errors.BadResource("closed here"));
  }
  // The sanitizer finds a timer that is left behind.
  for (let step = 0; step < 10; step++) await undefined;
  assert.deepEqual([ending.ends, ending.connection.closes], [[null], 1]);
});

Deno.test("socketTransport() that is started after its close tells the end, but not before start() returns", async () => {
  const ending = new Ending();
  ending.transport.close();
  ending.transport.start(ending);
  assert.deepEqual(ending.ends, []);
  await ending.closed;
  assert.deepEqual(ending.ends, [null]);
});

Deno.test("socketTransport() takes a connection that is closed already, and no other failure to close it", () => {
  const closed = new Ending();
  closed.connection.close = () => {
    throw new Deno.errors.BadResource("closed");
  };
  closed.transport.close();
  const broken = new Ending();
  broken.connection.close = () => {
    throw new TypeError("broken");
  };
  assert.throws(() => broken.transport.close(), { message: "broken" });
});

Deno.test("socketTransport() takes frames of 16 MiB unless it is told otherwise", async () => {
  const ending = new Ending();
  ending.connection.read = (into) => {
    into.set([1, 0, 0, 1]);
    return Promise.resolve(4);
  };
  ending.transport.start(ending);
  await ending.closed;
  const { cause } = ending.ends[0]!;
  assert.ok(cause instanceof LimitExceededError);
  assert.deepEqual([cause.asked, cause.allowed], [2 ** 24 + 1, 2 ** 24]);
});

Deno.test("socketTransport() counts each direction on its own", async () => {
  const ending = new Ending();
  ending.connection.read = (into) => {
    ending.connection.read = () => ending.connection.reading.promise;
    into.set([1, 0, 0, 0, 7, 9]);
    return Promise.resolve(6);
  };
  const frame = Promise.withResolvers<void>();
  ending.transport.start({ onFrame: () => frame.resolve(), onClosed: () => {} });
  for (let sent = 0; sent < 2; sent++) ending.transport.send(new Uint8Array(10));
  await frame.promise;
  assert.deepEqual(ending.transport.counters, { bytesIn: 6, framesIn: 1, bytesOut: 28, framesOut: 2 });
  ending.transport.close();
});

/** The delays of the timers that are set meanwhile. */
async function timersDuring(work: () => Promise<void>): Promise<(number | undefined)[]> {
  const { setTimeout } = globalThis;
  const delays: (number | undefined)[] = [];
  const noting = (run: () => void, ms?: number) => {
    delays.push(ms);
    return setTimeout(run, ms);
  };
  globalThis.setTimeout = noting as typeof setTimeout;
  try {
    await work();
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  return delays;
}
