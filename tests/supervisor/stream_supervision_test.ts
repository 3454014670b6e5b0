/** Generators of plugins are supervised as functions are. */

import assert from "node:assert/strict";
import { PluginCrashedError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

interface Api {
  rows(count: number): AsyncGenerator<number>;
  spin(): AsyncGenerator<number>;
  one(): number;
}

const code = `
  export async function* rows(count: number) { for (let row = 0; row < count; row++) yield row; }
  export async function* spin() { yield 1; for (;;); }
  export const one = () => 1;
`;
const quick = { restart: { backoff: () => 1 }, shutdownGraceMs: 100 };

Deno.test("Host.on() hears of a stream once before and once after, whether it is read to its end or left", async () => {
  await using test = await testHost();
  const heard: unknown[] = [];
  test.host.on("before-call", ({ method, args }) => heard.push([method, ...args]));
  test.host.on("after-call", ({ method, error }) => heard.push([method, error]));
  await using plugin = await test.host.load<Api>(await test.plugin(code));
  assert.deepEqual(await Array.fromAsync(plugin.api.rows(2)), [0, 1]);
  for await (const row of plugin.api.rows(5)) {
    if (row === 1) break;
  }
  plugin.api.rows(9); // never read: never called
  assert.deepEqual(heard, [["rows", 2], ["rows", null], ["rows", 5], ["rows", null]]);
});

Deno.test("limits.wallMs holds against a generator that never yields again", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { ...quick, limits: { wallMs: 200 } });
  const stream = plugin.api.spin();
  assert.deepEqual(await stream.next(), { done: false, value: 1 });
  await assert.rejects(stream.next(), { name: "PluginCrashedError", reason: "wall-timeout" });
  assert.equal(await plugin.api.one(), 1);
  assert.equal(plugin.status.generation, 2);
});

Deno.test("limits.wallMs bounds each wait for an item, not the reader's own time", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, { limits: { wallMs: 300 } });
  const rows: number[] = [];
  for await (const row of plugin.api.rows(3)) {
    rows.push(row);
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.deepEqual(rows, [0, 1, 2]);
});

Deno.test("a stream that is left while its generator spins takes the process with it, and the next call is answered", async () => {
  await using test = await testHost();
  const path = await test.plugin(code);
  await using plugin = await test.host.load<Api>(path, quick);
  for await (const row of plugin.api.spin()) {
    if (row === 1) break;
  }
  for await (const status of plugin.statusChanges()) {
    if (status.state === "running" && status.generation === 2) break;
  }
  assert.equal(await plugin.api.one(), 1);
});

Deno.test("a stream whose process dies rejects once with the reason, and is at its end afterwards", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api>(await test.plugin(code));
  const stream = plugin.api.spin();
  await stream.next();
  const next = stream.next();
  const { status } = plugin;
  assert.ok(status.state === "running");
  Deno.kill(status.pid, "SIGKILL");
  await assert.rejects(next, PluginCrashedError);
  assert.equal((await stream.next()).done, true);
});

Deno.test("a stream's deadline holds while it waits for its process to start again", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Api & { die(): void }>(
    await test.plugin(`${code}\nexport const die = () => Deno.exit(1);`),
    { restart: { backoff: () => 600_000 } },
  );
  await assert.rejects(async () => await plugin.api.die(), PluginCrashedError);
  const stream = plugin.with({ timeoutMs: 50 }).rows(2);
  await assert.rejects(stream.next(), {
    name: "CallTimeoutError",
    message: /^Cannot finish call "rows" of plugin ".*" within 50 ms: it was restarting$/,
  });
  assert.equal(plugin.status.state, "restarting");
});
