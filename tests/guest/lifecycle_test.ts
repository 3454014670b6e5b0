import assert from "node:assert/strict";
import { GuestLifecycle } from "../../src/guest/lifecycle.ts";
import { LaunchError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

Deno.test("GuestLifecycle.on() refuses a moment that there is not, and disposing removes the hook", () => {
  const lifecycle = new GuestLifecycle();
  let times = 0;
  const hook = lifecycle.on("loaded", () => times++);
  lifecycle.loaded();
  hook[Symbol.dispose]();
  lifecycle.loaded();
  assert.equal(times, 1);
  assert.throws(() => lifecycle.on("constructor" as "loaded", () => {}), /moments of a plugin's life are/);
});

Deno.test("GuestLifecycle.beforeLoad() waits for each hook and ends with the first that fails", async () => {
  const lifecycle = new GuestLifecycle();
  const seen: string[] = [];
  lifecycle.on("before-load", async () => {
    await Promise.resolve();
    seen.push("first");
  });
  lifecycle.on("before-load", () => Promise.reject(new Error("no database")));
  lifecycle.on("before-load", () => seen.push("third"));
  await assert.rejects(lifecycle.beforeLoad(), /no database/);
  assert.deepEqual(seen, ["first"]);
});

Deno.test("GuestLifecycle.around() tells of calls that return, throw, settle later and stream, each once", async () => {
  const lifecycle = new GuestLifecycle();
  const told: unknown[] = [];
  lifecycle.on("before-call", ({ method, args }) => told.push([method, ...args]));
  lifecycle.on("after-call", ({ error }) => told.push(error));
  const failure = new Error("broken");
  assert.equal(lifecycle.around("plain", (value) => value)(1), 1);
  assert.throws(() =>
    lifecycle.around("throws", () => {
      throw failure;
    })(), failure);
  assert.equal(await lifecycle.around("later", (value) => Promise.resolve(value))(2), 2);
  await assert.rejects(
    lifecycle.around("fails", () => Promise.reject(failure))() as Promise<unknown>,
    failure,
  );
  const stream = lifecycle.around("stream", function* (): Generator<number> {
    yield 1;
    yield 2;
  })() as AsyncIterable<number>;
  assert.deepEqual(await Array.fromAsync(stream), [1, 2]);
  assert.deepEqual(told, [
    ["plain", 1],
    null,
    ["throws"],
    failure,
    ["later", 2],
    null,
    ["fails"],
    failure,
    ["stream"],
    null,
  ]);
});

const hooked = `
  import { onLifecycle, onShutdown } from "@cordon/cordon/plugin";
  const seen: unknown[] = [];
  onLifecycle("before-load", async () => {
    await new Promise((done) => setTimeout(done, 5));
    seen.push("before-load");
  });
  onLifecycle("loaded", () => seen.push("loaded"));
  onLifecycle("before-call", ({ method, args }) => { seen.push(["before", method, ...args]); });
  onLifecycle("before-call", () => { throw new Error("a hook that is broken"); });
  onLifecycle("after-call", ({ method, durationMs, error }) => {
    seen.push(["after", method, durationMs >= 0, error instanceof Error ? error.message : error]);
  });
  onLifecycle("unload", () => console.log("unload last"));
  onShutdown(() => console.log("shutdown first"));
  export const double = (value: number) => value * 2;
  export const fail = () => { throw new Error("no"); };
  export async function* rows() { yield 1; yield 2; }
  export const all = () => [...seen];
`;

Deno.test("onLifecycle() runs a plugin's hooks in order, and one that throws breaks nothing", async () => {
  await using test = await testHost();
  const lines: string[] = [];
  interface Api {
    double(value: number): number;
    fail(): void;
    rows(): AsyncGenerator<number>;
    all(): unknown[];
  }
  const plugin = await test.host.load<Api>(await test.plugin(hooked), {
    output: (line) => void lines.push(line),
  });
  assert.equal(await plugin.api.double(2), 4);
  await assert.rejects(plugin.api.fail(), { message: "no" });
  assert.deepEqual(await Array.fromAsync(plugin.api.rows()), [1, 2]);
  assert.deepEqual(await plugin.api.all(), [
    "before-load",
    "loaded",
    ["before", "double", 2],
    ["after", "double", true, null],
    ["before", "fail"],
    ["after", "fail", true, "no"],
    ["before", "rows"],
    ["after", "rows", true, null],
    ["before", "all"],
  ]);
  await plugin.stop();
  assert.ok(lines.some((line) => line.includes("a hook that is broken")), "its failure is printed");
  assert.deepEqual(lines.filter((line) => /unload|shutdown/.test(line)), ["shutdown first", "unload last"]);
});

Deno.test("onLifecycle() of before-load that fails makes the load fail with its error", async () => {
  await using test = await testHost();
  const path = await test.plugin(`
    import { onLifecycle } from "@cordon/cordon/plugin";
    onLifecycle("before-load", () => Promise.reject(new Error("no database")));
    export const one = () => 1;
  `);
  await assert.rejects(test.host.load(path), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.equal(error.stage, "import");
    assert.match(error.message, /no database/);
    return true;
  });
  assert.deepEqual(test.host.plugins, []);
});
