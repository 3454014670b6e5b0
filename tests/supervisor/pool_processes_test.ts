/** Pools of real processes: what only shows when memory, deaths and numbers are real. */

import assert from "node:assert/strict";
import { PluginCrashedError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

interface Api {
  count(): number;
  hold(mebibytes: number): number;
  dieOnce(path: string): string;
  exit(code: number): void;
}

const code = `
  let calls = 0;
  const held: Uint8Array[] = [];
  export const count = () => ++calls;
  export function hold(mebibytes: number) {
    held.push(new Uint8Array(mebibytes * 2 ** 20).fill(1));
    return ++calls;
  }
  export function dieOnce(path: string) {
    try { Deno.writeTextFileSync(path, "was here", { createNew: true }); } catch { return "second time"; }
    Deno.exit(3);
  }
  export function exit(code: number) { Deno.exit(code); }
`;

Deno.test("maxWorkerMemory replaces a process that holds more, after its task, and not one that holds less", async () => {
  await using test = await testHost();
  await using pool = await test.host.pool<Api>(await test.plugin(code), {
    size: 1,
    maxWorkerMemory: "150MiB",
  });
  assert.equal(await pool.execute((api) => api.hold(8)), 1);
  assert.equal(await pool.execute((api) => api.count()), 2, "8 MiB more are no reason");
  assert.equal(await pool.execute((api) => api.hold(200)), 3, "the task itself ends well");
  assert.equal(await pool.execute((api) => api.count()), 1, "the next one finds a new process");
  const { recycled, crashes, failed } = pool.stats();
  assert.deepEqual([recycled, crashes, failed], [1, 0, 0]);
});

Deno.test("maxTasksPerWorker replaces a process after its share of tasks", async () => {
  await using test = await testHost();
  await using pool = await test.host.pool<Api>(await test.plugin(code), { size: 1, maxTasksPerWorker: 2 });
  const counts = await Array.fromAsync(pool.map([1, 2, 3, 4, 5], (api) => api.count()));
  assert.deepEqual(counts, [1, 2, 1, 2, 1]);
});

Deno.test("a task that called only idempotent exports runs once more when its process dies; any other does not", async () => {
  await using test = await testHost();
  const shared = await Deno.makeTempDir();
  await Deno.chmod(shared, 0o777);
  try {
    await using pool = await test.host.pool<Api>(await test.plugin(code), {
      size: 1,
      idempotent: ["dieOnce"],
      restart: { backoff: () => 1 },
      permissions: { write: [shared], read: [shared] },
    });
    assert.equal(await pool.execute((api) => api.dieOnce(`${shared}/a`)), "second time");
    const mixed = pool.execute(async (api) => {
      await api.count();
      return await api.dieOnce(`${shared}/b`);
    });
    await assert.rejects(mixed, { name: "PluginCrashedError", reason: "exit-code", exitCode: 3 });
    await assert.rejects(pool.execute((api) => api.exit(4), { idempotent: true }), PluginCrashedError);
    const { repeated, crashes } = pool.stats();
    assert.deepEqual([repeated, crashes], [2, 4]);
  } finally {
    await Deno.remove(shared, { recursive: true });
  }
});

Deno.test("Pool.resize() adds and ends processes while tasks run, and loses none", async () => {
  await using test = await testHost();
  await using pool = await test.host.pool<Api>(await test.plugin(code), { size: 1, queueSize: 1_000 });
  const tasks = Array.from({ length: 200 }, () => pool.execute((api) => api.count()));
  await pool.resize(3);
  await Promise.all(tasks.slice(0, 100));
  await pool.resize(1);
  const counts = await Promise.all(tasks);
  assert.equal(counts.length, 200);
  const { size, succeeded } = pool.stats();
  assert.deepEqual([size, succeeded], [1, 200]);
});

for (const bundle of [true, false]) {
  const how = bundle ? "in one file" : "as modules";
  Deno.test(`a pool runs the code that it began with, ${how}, until reload() takes what is there now`, async () => {
    await using test = await testHost();
    const path = await test.plugin("export const version = () => 1;");
    // Each task has a process of its own.
    await using pool = await test.host.pool<{ version(): number }>(path, {
      size: 2,
      maxTasksPerWorker: 1,
      bundle,
    });
    const versions = () => Array.fromAsync(pool.map([1, 2, 3, 4], (api) => api.version()));
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
    await Deno.writeTextFile(path, "export const version = () => 2;");
    assert.deepEqual(await versions(), [1, 1, 1, 1]);
    await pool.reload();
    assert.deepEqual(await versions(), [2, 2, 2, 2]);
    await Deno.writeTextFile(path, "export const version = () => ;");
    await assert.rejects(pool.reload(), { name: "BundleError" });
    assert.deepEqual(await versions(), [2, 2, 2, 2]);
    await Deno.writeTextFile(path, `throw new Error("not today"); export const version = () => 3;`);
    await assert.rejects(pool.reload(), { name: "LaunchError", message: /not today/ });
    assert.deepEqual(await versions(), [2, 2, 2, 2]);
    assert.deepEqual([pool.stats().crashes, pool.stats().failed], [0, 0]);
  });
}
