/** Starts, stops and ends that go wrong or unnoticed elsewhere. */

import assert from "node:assert/strict";
import { ConfigError, DisposedError, LaunchError, PermissionDeniedError } from "../../src/errors.ts";
import { namesIn, testHost } from "../testing/fixtures.ts";

type Exports = Record<string, (...args: unknown[]) => unknown>;

Deno.test("host.load() lets the host's other work go on", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const one = () => 1;`);
  let turns = 0;
  const ticking = setInterval(() => turns++, 1);
  try {
    await using plugin = await test.host.load<Exports>(path);
    assert.equal(await plugin.api.one!(), 1);
  } finally {
    clearInterval(ticking);
  }
  assert.ok(turns > 2, `${turns} turns`);
});

Deno.test("two plugins of one name are two plugins, and a name is free again after stop()", async () => {
  await using test = await testHost();
  const path = await test.plugin(`let n = 0; export const next = () => ++n;`);
  await using first = await test.host.load<Exports>(path, { name: "same" });
  await using second = await test.host.load<Exports>(path, { name: "same" });
  assert.deepEqual([await first.api.next!(), await first.api.next!(), await second.api.next!()], [1, 2, 1]);
  await first.stop();
  await using third = await test.host.load<Exports>(path, { name: "same" });
  assert.equal(await third.api.next!(), 1);
  assert.deepEqual(test.host.plugins.map(({ name }) => name), ["same", "same"]);
});

Deno.test("exports may have any name, as they never mix with the plugin's own members", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(
    await test.plugin(`
    export const stop = () => "mine"; export const name = () => "n"; export const status = () => "s"; export const api = () => "a";
    export { stop as with };
  `),
  );
  assert.deepEqual(
    await Promise.all([
      plugin.api.stop!(),
      plugin.api.name!(),
      plugin.api.status!(),
      plugin.api.api!(),
      plugin.api.with!(),
    ]),
    ["mine", "n", "s", "a", "mine"],
  );
});

Deno.test("a plugin that ends before it is ready is reported at once, with exit code and output", async () => {
  await using test = await testHost();
  const path = await test.plugin(`console.error("cannot find my model"); Deno.exit(9);`);
  // The bound is never reached: whoever waited for it would fail the test by its own time limit.
  await assert.rejects(test.host.load(path, { startupTimeoutMs: 600_000 }), (error: unknown) => {
    assert.ok(error instanceof LaunchError);
    assert.deepEqual([error.stage, error.exitCode], ["import", 9]);
    assert.match(error.stderrTail, /cannot find my model/);
    return true;
  });
});

Deno.test("a plugin whose import fails is not there, instead of running half", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const ok = () => 1; null.x;`);
  await assert.rejects(
    test.host.load(path),
    (error: unknown) => error instanceof LaunchError && error.stage === "import",
  );
  assert.deepEqual(test.host.plugins, []);
});

Deno.test("Plugin.stop() can be awaited, called twice, and lets hooks finish", async () => {
  await using test = await testHost();
  const plugin = await test.host.load<Exports>(
    await test.plugin(`
    import { emit, onShutdown } from "@cordon/cordon/plugin";
    onShutdown(async () => { await new Promise((done) => setTimeout(done, 5)); emit("bye", 1); });
    onShutdown(() => { throw new Error("a hook that fails stops no other"); });
    export const one = () => 1;
  `),
  );
  const heard: unknown[] = [];
  using _listener = plugin.on("bye", (payload) => heard.push(payload));
  await Promise.all([plugin.stop(), plugin.stop()]);
  assert.deepEqual(heard, [1]);
  assert.equal(plugin.status.state, "terminated");
  await assert.rejects(Promise.resolve(plugin.api.one!()), DisposedError);
});

Deno.test("a plugin that ignores being asked to stop is ended all the same, with its workers", async () => {
  await using test = await testHost();
  const plugin = await test.host.load<Exports>(
    await test.plugin(`
    import { onShutdown } from "@cordon/cordon/plugin";
    onShutdown(() => { for (;;); });
    setInterval(() => {}, 1000);
    export const one = () => 1;
  `),
    { shutdownGraceMs: 100 },
  );
  const { status } = plugin;
  assert.ok(status.state === "running");
  await plugin.stop();
  assert.throws(() => Deno.kill(status.pid, 0 as unknown as Deno.Signal), /./);
  assert.deepEqual((await namesIn(test.runtimeDirectory)).filter((name) => name.includes("sock")), []);
});

Deno.test("settings of one plugin do not change another", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const echo = (value: unknown) => value;`);
  await using small = await test.host.load<Exports>(path, { maxFrame: "64KiB" });
  await using large = await test.host.load<Exports>(path, { maxFrame: "4MiB" });
  const text = "x".repeat(1_000_000);
  await assert.rejects(async () => await small.api.echo!(text), /frame|bytes/i);
  assert.equal(await large.api.echo!(text), text);
  assert.equal(await small.api.echo!("still there"), "still there");
});

Deno.test("a mistake in the options is an error that names the key and the nearest one, before anything starts", async () => {
  await using test = await testHost();
  const path = await test.plugin(`export const one = () => 1;`);
  const load = (options: object): Promise<unknown> => test.host.load(path, options);
  const mistakes: readonly [object, string, RegExp][] = [
    [{ permission: {} }, "permission", /permissions/],
    [{ limits: { memroy: "1GiB" } }, "limits.memroy", /memory/],
    [{ sandbox: "preferred" }, "sandbox", /required/],
    [{ limits: { memory: "lots" } }, "limits.memory", /lots/],
    [{ services: ["nobody"] }, "services", /nobody/],
    [{ permissions: { read: ["/nonexistent/folder"] } }, "permissions.read", /nonexistent/],
  ];
  for (const [options, key, text] of mistakes) {
    await assert.rejects(load(options), (error: unknown) => {
      assert.ok(error instanceof ConfigError, String(error));
      assert.ok(error.path.startsWith(key), error.path);
      assert.match(`${error.message} ${error.hint}`, text);
      return true;
    });
  }
  await assert.rejects(load({ permissions: { read: ["/etc"] } }), PermissionDeniedError);
  assert.deepEqual(test.host.plugins, []);
});

Deno.test("names and paths of plugins may contain whatever a file system allows", async () => {
  await using test = await testHost();
  const names = ["a b.ts", "$(touch x);.ts", "größe·ü.ts", "..dots.ts", "--flag.ts", "quote'\".ts"];
  for (const name of names) {
    await using plugin = await test.host.load<Exports>(
      await test.plugin(`export const one = () => 1;`, name),
    );
    assert.equal(await plugin.api.one!(), 1, name);
  }
});
