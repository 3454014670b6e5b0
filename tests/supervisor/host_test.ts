/** The main job: a sandboxed module called like a local object. */

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { DisposedError, LaunchError, PluginCrashedError } from "../../src/errors.ts";
import { namesIn, testHost } from "../testing/fixtures.ts";

Deno.test("Host.load() gives an api whose functions run in the sandbox", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export function add(a: number, b: number): number { return a + b; }
    export async function* count(to: number) { for (let i = 0; i < to; i++) yield i; }
    export const version = 3;
  `);
  interface Api {
    add(a: number, b: number): number;
    count(to: number): AsyncGenerator<number>;
    readonly version: number;
  }
  await using plugin = await test.host.load<Api>(path);
  assert.equal(await plugin.api.add(2, 3), 5);
  assert.deepEqual(await Array.fromAsync(plugin.api.count(4)), [0, 1, 2, 3]);
  assert.equal(plugin.api.version, 3);
  assert.equal(plugin.status.state, "running");
});

Deno.test("Host.load() leaves no socket behind once the plugin is connected", async () => {
  await using test = await testHost();
  await using _plugin = await test.host.load(await test.plugin(`export const one = 1;`));
  const files = readdirSync(test.runtimeDirectory, { recursive: true }).map(String);
  assert.ok(files.some((path) => path.endsWith("/r/boot.json")), "the control: this is where it would be");
  assert.deepEqual(files.filter((path) => path.endsWith(".sock")), []);
});

Deno.test("Plugin.api has no `then`, so that awaiting it does not call the plugin", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load(await test.plugin(`export const one = 1;`));
  assert.equal((plugin.api as { then?: unknown }).then, undefined);
});

Deno.test("a plugin calls the host's services that it was granted", async () => {
  const calls: string[] = [];
  const greeter = {
    greet(name: string): string {
      calls.push(name);
      return `hello ${name}`;
    },
  };
  await using test = await testHost({ services: { greeter, secret: { read: () => "secret" } } });
  const path = await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    export async function run(name: string) { return await service<any>("greeter").greet(name); }
    export async function steal() { return await service<any>("secret").read(); }
  `);
  await using plugin = await test.host.load<{ run(name: string): string; steal(): string }>(path, {
    services: ["greeter"],
  });
  assert.equal(await plugin.api.run("you"), "hello you");
  assert.deepEqual(calls, ["you"]);
  await assert.rejects(plugin.api.steal(), /secret/);
});

Deno.test("Host.load() rejects with LaunchError stage import when the module throws, at its source line", async () => {
  await using test = await testHost();
  const path = await test.plugin(`const a = 1;\n\nthrow new RangeError("no good " + a);\n`, "throws.ts");
  await assert.rejects(test.host.load(path), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.equal(error.stage, "import");
    assert.match(error.message, /RangeError: no good 1/);
    assert.match(String((error.cause as Error).stack), /throws\.ts:3:/);
    return true;
  });
  assert.deepEqual(test.host.plugins, []);
});

Deno.test("Host.load() rejects with LaunchError and the exit code when the module exits", async () => {
  await using test = await testHost();
  const path = await test.plugin(`console.error("last words"); Deno.exit(7);`);
  await assert.rejects(test.host.load(path), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.deepEqual([error.stage, error.exitCode], ["import", 7]);
    assert.match(error.stderrTail, /last words/);
    return true;
  });
});

Deno.test("Host.load() rejects with LaunchError when the module is never ready", async () => {
  await using test = await testHost();
  const path = await test.plugin(`await new Promise(() => setInterval(() => {}, 1000));`);
  await assert.rejects(test.host.load(path, { startupTimeoutMs: 700 }), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.match(error.message, /not ready within 700 ms/);
    assert.match(error.hint ?? "", /startupTimeoutMs/);
    return true;
  });
});

Deno.test("a call that is pending when the plugin dies rejects with PluginCrashedError and the facts", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    export async function die() { console.error("dying"); setTimeout(() => Deno.exit(9), 5); await new Promise(() => {}); }
  `);
  await using plugin = await test.host.load<{ die(): Promise<void> }>(path);
  await assert.rejects(plugin.api.die(), (error: unknown) => {
    assert.ok(error instanceof PluginCrashedError);
    assert.deepEqual([error.reason, error.exitCode, error.signal], ["exit-code", 9, null]);
    assert.match(error.stderrTail, /dying/);
    return true;
  });
  assert.equal(plugin.status.state, "crashed");
});

Deno.test("Plugin.stop() leaves no files and later calls reject with DisposedError", async () => {
  await using test = await testHost();
  const plugin = await test.host.load<{ one(): number }>(await test.plugin(`export const one = () => 1;`));
  assert.equal(await plugin.api.one(), 1);
  await plugin.stop();
  await assert.rejects(plugin.api.one(), DisposedError);
  assert.equal(plugin.status.state, "terminated");
  assert.deepEqual(test.host.plugins, []);
});

Deno.test("a disposed host leaves nothing but the lock of its runtime directory and gives nothing more", async () => {
  const test = await testHost();
  const path = await test.plugin(`export const one = () => 1;`);
  await test.host.load(path);
  await test.host[Symbol.asyncDispose]();
  assert.deepEqual(await namesIn(test.runtimeDirectory), ["lock"]);
  await assert.rejects(test.host.load(path), DisposedError);
  assert.throws(() => test.host.tensor([2 ** 20]), DisposedError);
  await assert.rejects(test.host.cuda(), DisposedError);
  assert.equal(test.host.tensorStats().usedBytes, 0);
  await test[Symbol.asyncDispose]();
});

Deno.test("Plugin.with() and Host.on() refuse what they would not heed", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const one = () => 1;`);
  await using plugin = await test.host.load<{ one(): number }>(path);
  // No timer can hold these: the plugin used to end itself over the first.
  for (const timeoutMs of [Infinity, NaN, -1, 2 ** 31, "5"]) {
    assert.throws(() => plugin.with({ timeoutMs } as never), { name: "ConfigError", path: "timeoutMs" });
  }
  assert.throws(() => plugin.with({ timeoutMS: 5 } as never), { hint: 'Did you mean "timeoutMs"?' });
  assert.equal(await plugin.with({ timeoutMs: 30_000, signal: undefined }).one(), 1);
  assert.throws(
    () => test.host.on("crash" as never, () => {}),
    /Cannot listen to "crash" as a host's events/,
  );
});
