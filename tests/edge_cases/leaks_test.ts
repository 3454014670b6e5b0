/** What a plugin and its host hold of each other, after a long time. */

import assert from "node:assert/strict";
import { collectGarbage } from "../rpc/collect_garbage.ts";
import { testHost } from "../testing/fixtures.ts";

interface Careless {
  use(callback: (value: number) => number): Promise<number>;
  watch(signal: AbortSignal): void;
  open(): Promise<unknown>;
  rows(): AsyncGenerator<number>;
  forget(): void;
}

/** Disposes nothing: what it got is found when it is collected. */
const CARELESS = `
  import { handle } from "@cordon/cordon/plugin";
  export const use = (callback) => callback(1);
  export const watch = (signal) => void signal.aborted;
  export const open = () => handle({ title: () => "x" });
  export async function* rows() { for (let row = 0; ; row++) yield row; }
  // Garbage that was held for a while: what dies young is swept without looking at what has lived longer.
  export const forget = () => Array.from({ length: 20 }, () => new Array(500_000).fill({})).length;
`;

const ROUNDS = 100;
const AT_ONCE = 250;

Deno.test("plugin.stats() is back at zero after 100,000 calls of code that disposes nothing", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Careless>(await test.plugin(CARELESS));
  const { api } = plugin;
  const held = () => {
    const { pendingIn, pendingOut, exported, imported, streamsIn, streamsOut, signalsIn, signalsOut } = plugin
      .stats();
    return [pendingIn, pendingOut, exported, imported, streamsIn, streamsOut, signalsIn, signalsOut];
  };
  const together = (call: (index: number) => Promise<unknown>) =>
    Promise.all(Array.from({ length: AT_ONCE }, (_, index) => call(index)));
  let highest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    await together((index) => api.use((value) => value + index));
    await together(() => api.watch(new AbortController().signal) as unknown as Promise<void>);
    await together(() => api.open());
    await together(async () => {
      for await (const row of api.rows()) if (row === 1) break;
    });
    highest = Math.max(highest, ...held());
    if (round % 10 === 0) collectGarbage();
  }
  assert.ok(plugin.stats().callsOut >= ROUNDS * AT_ONCE * 4);
  // The counts do count: what nobody disposed was held for a while.
  assert.ok(highest >= AT_ONCE, `${highest} at most`);
  for (let attempt = 0; attempt < 100 && held().some((count) => count > 0); attempt++) {
    collectGarbage();
    await api.forget();
  }
  assert.deepEqual(held(), [0, 0, 0, 0, 0, 0, 0, 0]);
});
