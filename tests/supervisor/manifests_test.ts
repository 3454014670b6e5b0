/** Manifests, directories of plugins and listeners, with real processes. */

import assert from "node:assert/strict";
import { ConfigError, PermissionDeniedError } from "../../src/errors.ts";
import type { HostEvents } from "../../src/supervisor/host_events.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

Deno.test("Host.on() hears the life of a plugin and its calls, and a listener that throws breaks nothing", async () => {
  await using test = await testHost();
  const heard: string[] = [];
  const names: readonly (keyof HostEvents)[] = [
    "before-load",
    "loaded",
    "before-call",
    "after-call",
    "unloaded",
  ];
  for (const name of names) test.host.on(name, () => heard.push(name));
  test.host.on("before-call", () => {
    throw new Error("broken listener");
  });
  test.host.on("listener-error", ({ event, error }) => heard.push(`${event}: ${(error as Error).message}`));
  const plugin = await test.host.load<{ bump(): number }>(await test.plugin(`export const bump = () => 1;`));
  assert.equal(await plugin.api.bump(), 1);
  await plugin.stop();
  assert.deepEqual(heard, [
    "before-load",
    "loaded",
    "before-call",
    "before-call: broken listener",
    "after-call",
    "unloaded",
  ]);
});

const manifest = (over: object) =>
  JSON.stringify({ name: "a", version: "1.0.0", entry: "./main.ts", ...over });

Deno.test("Host.load() gives a plugin what its manifest asks for, and no more than that", async () => {
  await using folder = await folderWith({
    "a/cordon.json": manifest({ permissions: { read: ["./data/open"] } }),
    "a/main.ts": `export const read = (path: string) => Deno.readTextFileSync(path);`,
    "a/data/open/file": "open",
    "a/data/closed": "closed",
  });
  await using test = await testHost();
  const data = `${folder.path}/a/data`;
  await using plugin = await test.host.load<{ read(path: string): string }>(`${folder.path}/a/main.ts`, {
    permissions: { read: [data] },
  });
  assert.equal(await plugin.api.read(`${data}/open/file`), "open");
  await assert.rejects(plugin.api.read(`${data}/closed`), /NotCapable|Requires read access/);
});

Deno.test("Host.load() refuses a manifest that asks for more than the host allows, before anything runs", async () => {
  await using folder = await folderWith({
    "a/cordon.json": manifest({ permissions: { net: ["example.com:443"] } }),
    "a/main.ts": `throw new Error("it ran");`,
  });
  await using test = await testHost();
  await assert.rejects(test.host.load(`${folder.path}/a/main.ts`), (error) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.match(error.message, /permissions\.net "example\.com:443" \(allowed: nothing\)/);
    return true;
  });
});

Deno.test("Host.load() refuses a manifest that reaches past a grant by a symbolic link", async () => {
  await using folder = await folderWith({
    "a/cordon.json": manifest({ permissions: { read: ["./data/link"] } }),
    "a/main.ts": `export const run = () => 1;`,
    "a/data/file": "",
    "secret/key": "secret",
  });
  await Deno.symlink(`${folder.path}/secret`, `${folder.path}/a/data/link`);
  await using test = await testHost();
  const options = { permissions: { read: [`${folder.path}/a/data`] } };
  await assert.rejects(test.host.load(`${folder.path}/a/main.ts`, options), (error) => {
    assert.ok(error instanceof PermissionDeniedError);
    assert.match(error.message, /it leads to ".*\/secret", which the host does not allow/);
    return true;
  });
});

Deno.test("Host.load() stops a plugin that does not export what its manifest promises", async () => {
  await using folder = await folderWith({
    "a/deno.jsonc": `{ "name": "@me/a", "version": "1.0.0", // the plugin
      "exports": "./main.ts", "cordon": { "exports": ["run", "rows"] } }`,
    "a/main.ts": `export const run = () => 1;`,
  });
  await using test = await testHost();
  await assert.rejects(test.host.load(`${folder.path}/a/main.ts`), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /it does not export "rows"$/);
    return true;
  });
  assert.deepEqual(test.host.plugins, []);
});

Deno.test("Host.loadDirectory() loads dependencies first and tells what failed and what needed it", async () => {
  await using folder = await folderWith({
    "app/cordon.json": manifest({ name: "app", dependencies: { base: "^1" } }),
    "app/main.ts": `export const run = () => "app";`,
    "base/cordon.json": manifest({ name: "base", version: "1.2.0" }),
    "base/main.ts": `export const run = () => "base";`,
    "broken/cordon.json": manifest({ name: "broken" }),
    "broken/main.ts": `throw new Error("broken");`,
    "needy/cordon.json": manifest({ name: "needy", dependencies: { broken: "*" } }),
    "needy/main.ts": `export const run = () => "needy";`,
    "future/cordon.json": manifest({ name: "future", apiVersion: "9.0" }),
    "future/main.ts": `export const run = () => "future";`,
    "invalid/cordon.json": `{ "nam": 1 }`,
    "none/main.ts": `throw new Error("no manifest");`,
  });
  await using test = await testHost();
  const { loaded, failed } = await test.host.loadDirectory(folder.path);
  assert.deepEqual(loaded.map((plugin) => plugin.name), ["base", "app"]);
  const failures = failed.map(({ name, error }) => [name, (error as Error).name]);
  assert.deepEqual(failures, [
    ["invalid", "ConfigError"],
    ["broken", "LaunchError"],
    ["future", "ConfigError"],
    ["needy", "ConfigError"],
  ]);
});

Deno.test("Host.load() refuses a plugin for another API version, and names both", async () => {
  await using folder = await folderWith({
    "a/cordon.json": manifest({ apiVersion: "2.0" }),
    "a/main.ts": `export const run = () => 1;`,
  });
  await using test = await testHost();
  await assert.rejects(test.host.load(`${folder.path}/a/main.ts`), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /it needs API 2\.0, the host offers 1\.0$/);
    return true;
  });
});

Deno.test("Host.load() wants the dependencies of a plugin loaded before, in a version that fits", async () => {
  await using folder = await folderWith({
    "app/cordon.json": manifest({
      name: "app",
      dependencies: [{ name: "base", version: "^2" }, { name: "extra", optional: true }],
    }),
    "app/main.ts": `export const run = () => "app";`,
    "base/cordon.json": manifest({ name: "base", version: "1.2.0", tags: ["codec", "fast"] }),
    "base/main.ts": `export const run = () => "base";`,
  });
  await using test = await testHost();
  const app = `${folder.path}/app/main.ts`;
  await assert.rejects(test.host.load(app), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.match(error.message, /"base" was not loaded$/);
    assert.match(error.hint ?? "", /^Load "base" first/);
    return true;
  });
  await using base = await test.host.load(`${folder.path}/base/main.ts`);
  assert.deepEqual([base.name, base.manifest?.version, base.manifest?.tags], [
    "base",
    "1.2.0",
    ["codec", "fast"],
  ]);
  await assert.rejects(test.host.load(app), /it needs "base" \^2, loaded is 1\.2\.0$/);
  await Deno.writeTextFile(`${folder.path}/base/cordon.json`, manifest({ name: "base", version: "2.1.0" }));
  await using _newer = await test.host.load(`${folder.path}/base/main.ts`);
  await using loaded = await test.host.load<{ run(): string }>(app);
  assert.equal(await loaded.api.run(), "app");
});
