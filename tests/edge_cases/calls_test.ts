/** Calls that hang, deadlock, get lost or leak elsewhere. */

import assert from "node:assert/strict";
import { CallTimeoutError, PluginCrashedError, RemoteError, SerializationError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

type Exports = Record<string, (...args: unknown[]) => unknown>;

Deno.test("calls start in the order in which they were made and end in their own", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    const started: number[] = [];
    let open: () => void;
    const gate = new Promise<void>((done) => open = done);
    export async function wait(n: number) { started.push(n); await gate; return n; }
    export function release(n: number) { started.push(n); open(); return started; }
  `),
  );
  const ends: unknown[] = [];
  const note = (value: unknown): void => void ends.push(value);
  const calls = [plugin.api.wait!(1).then(note), plugin.api.wait!(2).then(note)];
  assert.deepEqual(await plugin.api.release!(3), [1, 2, 3]);
  await Promise.all(calls);
  assert.deepEqual(ends, [1, 2]);
});

Deno.test("a call is answered whatever the plugin throws", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    const strange = [undefined, null, 7, "text", new DOMException("gone", "AbortError"),
      Object.assign(new Error("x"), { toString() { throw 1; } }), Object.create(null), class Odd {}];
    export async function fail(index: number) { throw strange[index]; }
  `),
  );
  const ends = await Promise.allSettled([0, 1, 2, 3, 4, 5, 6, 7].map((index) => plugin.api.fail!(index)));
  assert.deepEqual(new Set(ends.map(({ status }) => status)), new Set(["rejected"]));
  const reasons = ends.map((end) => (end as PromiseRejectedResult).reason as unknown);
  assert.deepEqual(reasons.slice(0, 4), [undefined, null, 7, "text"]);
  assert.equal((reasons[4] as DOMException).name, "AbortError");
  assert.equal(plugin.status.state, "running");
});

Deno.test("an argument or result that cannot cross fails its own call, with the place", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    class Model {}
    export const good = () => 1;
    export const bad = () => ({ list: [1, { model: new Model() }] });
    export const trap = () => ({ get value() { throw new RangeError("mine"); } });
    export const echo = (value: unknown) => value;
  `),
  );
  await assert.rejects(Promise.resolve(plugin.api.bad!()), (error: unknown) => {
    assert.ok(error instanceof SerializationError);
    assert.match(error.path, /list\[1\]\.model$/);
    return true;
  });
  await assert.rejects(Promise.resolve(plugin.api.trap!()), /mine|accessor|getter/);
  await assert.rejects(
    async () => await plugin.api.echo!({ deep: { socket: new WeakMap() } }),
    (error: unknown) => {
      assert.ok(error instanceof SerializationError);
      assert.match(error.path, /deep\.socket$/);
      return true;
    },
  );
  assert.equal(await plugin.api.good!(), 1);
});

Deno.test("an error keeps class, name, message, cause and the line of the plugin's source", async () => {
  await using test = await testHost();
  const path = await test.plugin(
    `export function known() {\n  throw new RangeError("no", { cause: new TypeError("why") });\n}\n` +
      `class Mine extends Error { name = "Mine"; code = "E_MINE"; }\nexport function own() { throw new Mine("k"); }`,
    "thrower.ts",
  );
  await using plugin = await test.host.load<Exports>(path);
  await assert.rejects(Promise.resolve(plugin.api.known!()), (error: unknown) => {
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "no");
    assert.ok(error.cause instanceof TypeError);
    assert.match(error.stack ?? "", /thrower\.ts:2:9/);
    return true;
  });
  await assert.rejects(Promise.resolve(plugin.api.own!()), (error: unknown) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.remoteName, error.message], ["Mine", "k"]);
    assert.equal((error as { code?: unknown }).code, "CORDON_REMOTE");
    return true;
  });
});

Deno.test("a call that is given up is cancelled in the plugin and leaves nothing pending", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    import { emit, signal } from "@cordon/cordon/plugin";
    export const one = () => 1;
    export function wait() {
      const mine = signal();
      mine.throwIfAborted();
      return new Promise((_, reject) => mine.addEventListener("abort", () => { emit("cancelled"); reject(mine.reason); }));
    }
  `),
  );
  const heard = Promise.withResolvers<void>();
  using _listener = plugin.on("cancelled", () => heard.resolve());
  await assert.rejects(plugin.with({ timeoutMs: 50 }).wait!() as Promise<unknown>, CallTimeoutError);
  await heard.promise;
  const reason = new Error("enough");
  const abort = new AbortController();
  const call = plugin.with({ signal: abort.signal }).wait!() as Promise<unknown>;
  abort.abort(reason);
  await assert.rejects(call, (error: unknown) => error === reason);
  // What was given up stays pending until the plugin has answered the cancellation.
  for (const deadline = Date.now() + 30_000; plugin.stats().pendingOut > 0;) {
    assert.ok(Date.now() < deadline, "a call is still pending");
    assert.equal(await plugin.api.one!(), 1);
  }
});

Deno.test("host and plugin call each other to any sensible depth, and an endless recursion is an error", async () => {
  await using test = await testHost({
    services: {
      mirror: { down: (n: number, back: (n: number) => Promise<number>): Promise<number> => back(n - 1) },
    },
  });
  await using plugin = await test.host.load<{ depth(n: number): number; endless(): number }>(
    await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    const mirror = service<any>("mirror");
    export async function depth(n: number): Promise<number> { return n === 0 ? 0 : 1 + await mirror.down(n, depth); }
    export async function endless(): Promise<number> { return await mirror.down(1, endless); }
  `),
    { services: ["mirror"] },
  );
  assert.equal(await plugin.api.depth(20), 20);
  await assert.rejects(plugin.api.endless(), /nested|deep/i);
  assert.equal(await plugin.api.depth(1), 1);
});

Deno.test("an event from asynchronous code arrives at every listener and waits for none", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    import { emit } from "@cordon/cordon/plugin";
    export async function work() { await null; for (let i = 0; i < 3; i++) emit("step", i); emit("nobody"); return "done"; }
    export function broken() { emit("step", new WeakMap()); }
  `),
  );
  const first: unknown[] = [], second: unknown[] = [];
  using _first = plugin.on("step", (payload) => first.push(payload));
  const other = plugin.on("step", (payload) => second.push(payload));
  assert.equal(await plugin.api.work!(), "done");
  assert.deepEqual([first, second], [[0, 1, 2], [0, 1, 2]]);
  other[Symbol.dispose]();
  await plugin.api.work!();
  assert.equal(second.length, 3);
  await assert.rejects(Promise.resolve(plugin.api.broken!()), SerializationError);
});

Deno.test("callbacks are given back after use", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<{ twice(callback: (n: number) => number): number }>(
    await test.plugin(`
    export async function twice(callback: any) { using mine = callback; return await mine(1) + await mine(2); }
  `),
  );
  for (let i = 0; i < 200; i++) assert.equal(await plugin.api.twice((n) => n * 2), 6);
  assert.equal(plugin.stats().exported, 0);
});

Deno.test("everything pending rejects when the plugin dies, with how it died, and so does every later call", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    export const wait = () => new Promise(() => {});
    export function die() { console.error("last words"); Deno.exit(3); }
  `),
  );
  const calls = await Promise.allSettled([
    plugin.api.wait!(),
    plugin.api.wait!(),
    plugin.api.die!(),
    plugin.api.wait!(),
  ]);
  for (const call of calls) {
    const error = (call as PromiseRejectedResult).reason as unknown;
    assert.ok(error instanceof PluginCrashedError);
    assert.deepEqual([error.reason, error.exitCode, error.signal], ["exit-code", 3, null]);
    assert.match(error.stderrTail, /last words/);
  }
  await assert.rejects(Promise.resolve(plugin.api.wait!()), PluginCrashedError);
});
