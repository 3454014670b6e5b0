/** Deaths, limits and timeouts that are mistaken for each other, or never noticed, elsewhere. */

import assert from "node:assert/strict";
import { CallTimeoutError, PermissionDeniedError, PluginCrashedError } from "../../src/errors.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

type Exports = Record<string, (...args: unknown[]) => unknown>;

async function crash(call: () => unknown): Promise<PluginCrashedError> {
  const [end] = await Promise.allSettled([call()]);
  assert.ok(end.status === "rejected", "it should have died");
  assert.ok(end.reason instanceof PluginCrashedError, String(end.reason));
  return end.reason;
}

/** Older kernels do not tell how a process ended that somebody else has waited for. */
const [major = 0, minor = 0] = Deno.osRelease().split(".").map(Number);
const isTold = major > 6 || (major === 6 && minor >= 15);

Deno.test("an exit is never a success, and one with 137 is no SIGKILL where the kernel tells them apart", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const exit = (code: number) => Deno.exit(code);`);
  const ends: unknown[] = [];
  for (const code of [0, 3, 137]) {
    await using plugin = await test.host.load<Exports>(path);
    const { reason, exitCode, signal } = await crash(() => plugin.api.exit!(code));
    ends.push([reason, exitCode, signal]);
  }
  assert.deepEqual(ends, [
    ["clean-exit", 0, null],
    ["exit-code", 3, null],
    isTold ? ["exit-code", 137, null] : ["signal", null, "SIGKILL"],
  ]);
});

Deno.test("a plugin that somebody else kills is noticed without any call", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(await test.plugin(`export const one = () => 1;`));
  const { status } = plugin;
  assert.ok(status.state === "running");
  Deno.kill(status.pid, "SIGKILL");
  for await (const now of plugin.statusChanges()) {
    if (now.state !== "crashed") continue;
    assert.deepEqual([now.reason, now.signal], ["signal", "SIGKILL"]);
    break;
  }
});

Deno.test("a plugin that never yields is ended by its wall limit; a timeout alone reaches one that yields", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export const spin = () => { for (;;); };
    export const sleep = () => new Promise(() => {});
    export const one = () => 1;
  `);
  await using bounded = await test.host.load<Exports>(path, { limits: { wallMs: 300 } });
  assert.equal((await crash(() => bounded.api.spin!())).reason, "wall-timeout");
  await using patient = await test.host.load<Exports>(path);
  await assert.rejects(patient.with({ timeoutMs: 50 }).sleep!() as Promise<unknown>, CallTimeoutError);
  assert.equal(await patient.api.one!(), 1);
});

Deno.test("a plugin that eats memory gets an error or dies of it, alone", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export const eat = () => { const kept: Uint8Array[] = []; for (;;) kept.push(new Uint8Array(8 << 20).fill(1)); };
    export const one = () => 1;
  `);
  await using glutton = await test.host.load<Exports>(path, { limits: { memory: "64MiB" } });
  await using neighbour = await test.host.load<Exports>(path);
  const [end] = await Promise.allSettled([glutton.api.eat!()]);
  assert.ok(end.status === "rejected");
  const error = end.reason as Error & { reason?: string };
  if (error instanceof PluginCrashedError) assert.match(error.reason, /^(memory-limit|out-of-memory)$/);
  else assert.match(String(error), /^RangeError: Array buffer allocation failed/);
  assert.equal(await neighbour.api.one!(), 1);
});

Deno.test("a plugin that says how many workers it starts needs no more memory for them", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export function double(n: number) {
      const code = "self.onmessage = (e) => self.postMessage(e.data * 2)";
      const worker = new Worker("data:text/javascript," + encodeURIComponent(code), { type: "module" });
      return new Promise((done) => { worker.onmessage = ({ data }) => { worker.terminate(); done(data); }; worker.postMessage(n); });
    }
  `);
  await using plugin = await test.host.load<Exports>(path, { limits: { workers: 1, memory: "128MiB" } });
  assert.equal(await plugin.api.double!(21), 42);
});

Deno.test("100 MB of output neither block nor fill the host", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    const line = new TextEncoder().encode("x".repeat(65535) + "\\n");
    export const shout = () => { for (let i = 0; i < 1600; i++) Deno.stdout.writeSync(line); };
  `),
    { limits: { output: "1MiB" }, output: "ignore" },
  );
  assert.equal((await crash(() => plugin.api.shout!())).reason, "output-limit");
});

Deno.test("a manifest that asks for more than the host allows loads nothing, and the error names both", async () => {
  const code = `export const one = () => 1;`;
  const asking = (permissions: object): Promise<AsyncDisposable & { path: string }> =>
    folderWith({
      "main.ts": code,
      "cordon.json": JSON.stringify({ name: "greedy", version: "1.0.0", entry: "./main.ts", permissions }),
    });
  await using greedy = await asking({ net: ["api.example.com:443"] });
  await using modest = await asking({});
  await using test = await testHost();
  await assert.rejects(test.host.load(`${greedy.path}/main.ts`), (error: unknown) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.match(error.message, /greedy/);
    assert.match(`${error.message} ${error.suggestion}`, /api\.example\.com:443/);
    return true;
  });
  await using plugin = await test.host.load<Exports>(`${modest.path}/main.ts`);
  assert.equal(await plugin.api.one!(), 1);
});
