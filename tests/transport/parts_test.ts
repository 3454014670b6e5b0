/** Many frames of one turn go in parts, so that both sides work at once. */

import assert from "node:assert/strict";
import { socketTransport } from "../../src/transport/mod.ts";

/** A connection that reads `input` at once, takes whatever is written, and tells both. */
function recordedConnection(input: Uint8Array, log: string[]): Deno.Conn {
  const { promise: never } = Promise.withResolvers<null>();
  let isRead = false;
  return {
    read(into: Uint8Array) {
      if (isRead) return never;
      isRead = true;
      into.set(input);
      return Promise.resolve(input.length);
    },
    write(bytes: Uint8Array) {
      log.push(`${bytes.length} written`);
      return Promise.resolve(bytes.length);
    },
    close() {},
  } as unknown as Deno.Conn;
}

Deno.test("socketTransport() writes a part of many frames while the rest is being made", async () => {
  const log: string[] = [];
  const transport = socketTransport(recordedConnection(new Uint8Array(), log));
  for (let index = 0; index < 100; index++) transport.send(new Uint8Array(1020));
  assert.deepEqual(log, ["32768 written"]);
  await transport.flushed();
  assert.deepEqual(log, ["32768 written", `${68 * 1024} written`]);
  transport.send(new Uint8Array(1020));
  assert.equal(log.length, 2, "a few frames wait for others of the same turn");
  await transport.flushed();
  assert.equal(log[2], "1024 written");
  transport.close();
});

Deno.test("socketTransport() writes a part of the answers before it hands over more", async () => {
  const log: string[] = [];
  const frames = new Uint8Array(100 * 5);
  for (let at = 0; at < frames.length; at += 5) frames[at] = 1;
  const transport = socketTransport(recordedConnection(frames, log));
  const all = Promise.withResolvers<void>();
  let count = 0;
  transport.start({
    onFrame: () => {
      transport.send(new Uint8Array(1020));
      if (++count === 100) all.resolve();
      log.push("read");
    },
    onClosed: () => {},
  });
  await all.promise;
  await transport.flushed();
  const parts = log.map((entry, index) => [entry, index] as const).filter(([entry]) => entry !== "read");
  assert.equal(parts[0]![0], "32768 written");
  assert.ok(parts.length >= 3, log.join());
  assert.ok(log.lastIndexOf("read") > parts[1]![1], "frames are handed over after the second part");
  assert.equal(parts.reduce((sum, [entry]) => sum + parseInt(entry), 0), 100 * 1024);
  transport.close();
});
