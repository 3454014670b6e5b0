/** Arrays are copied through messages while there is room, and through shared memory when there is not. */

import assert from "node:assert/strict";
import { testHost } from "../testing/fixtures.ts";

interface Warehouse {
  keep(crate: Uint8Array, count: number): Promise<number>;
  weigh(crates: Uint8Array[]): number;
  crates(count: number, bytes: number): Uint8Array[];
  crate(bytes: number): Uint8Array;
}

const WAREHOUSE = `
  const waiting = [];
  const sum = (crate) => crate.reduce((total, byte) => total + byte, 0);
  export const keep = (crate, count) => new Promise((resolve) => {
    waiting.push(() => resolve(sum(crate)));
    if (waiting.length === count) for (const leave of waiting.splice(0)) leave();
  });
  export const weigh = (crates) => crates.reduce((total, crate) => total + sum(crate), 0);
  export const crate = (bytes) => new Uint8Array(bytes).fill(1);
  export const crates = (count, bytes) => Array.from({ length: count }, () => crate(bytes));
`;

const MIB = 2 ** 20;

Deno.test("many large arrays at once, more than messages may hold together, all arrive", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Warehouse>(await test.plugin(WAREHOUSE));
  const crate = new Uint8Array(MIB).fill(1);
  const before = plugin.stats().bytesOut;
  assert.equal(await plugin.api.keep(crate, 1), MIB);
  const alone = plugin.stats().bytesOut - before;
  assert.ok(alone > MIB, `one goes through a message: ${alone} bytes`);
  // Calls that are being served may hold 64 MiB of messages.
  const sums = await Promise.all(Array.from({ length: 100 }, () => plugin.api.keep(crate, 100)));
  assert.deepEqual(sums, new Array(100).fill(MIB));
  const bytes = plugin.stats().bytesOut - before - alone;
  assert.ok(bytes < 16 * MIB, `most go through shared memory: ${bytes} bytes in messages`);
});

Deno.test("large arrays in one message, more than it may hold, all arrive, in both directions", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Warehouse>(await test.plugin(WAREHOUSE));
  const crates = Array.from({ length: 40 }, (_, index) => new Uint8Array(MIB).fill(index % 2));
  assert.equal(await plugin.api.weigh(crates), 20 * MIB);
  const back = await plugin.api.crates(40, MIB);
  assert.equal(back.length, 40);
  assert.ok(back.every((crate) => crate.length === MIB && crate.every((byte) => byte === 1)));
  const together = await Promise.all(Array.from({ length: 60 }, () => plugin.api.crate(MIB + 1)));
  assert.ok(together.every((crate) => crate.length === MIB + 1 && crate.at(-1) === 1));
  assert.ok(plugin.stats().bytesIn < 64 * MIB, `${plugin.stats().bytesIn} bytes in messages`);
});

Deno.test("large arrays fit a plugin whose messages are small", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Warehouse>(await test.plugin(WAREHOUSE), { maxFrame: "256KiB" });
  const crate = new Uint8Array(MIB).fill(1);
  assert.equal(await plugin.api.weigh([crate, crate.subarray(0, 100_000)]), MIB + 100_000);
  assert.deepEqual(await plugin.api.crate(MIB), crate);
});
