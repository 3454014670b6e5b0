/** What leaks into or out of a sandbox elsewhere. */

import assert from "node:assert/strict";
import { ConfigError } from "../../src/errors.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

type Exports = Record<string, (...args: unknown[]) => unknown>;

const PROBE = `
  export const variables = () => Object.keys(Deno.env.toObject()).sort();
  export const read = (path: string) => Deno.readTextFileSync(path);
  export const write = (path: string) => Deno.writeTextFileSync(path, "x");
  export const exists = (path: string) => { try { Deno.statSync(path); return true; } catch (error) {
    return (error as Error).name; } };
  export const root = () => [...Deno.readDirSync("/")].map(({ name }) => name).sort();
  export const get = (name: string) => Deno.env.get(name);
`;

Deno.test("a plugin sees no variable of the host that it was not given, and the given ones by value", async () => {
  using variables = new DisposableStack();
  for (const name of ["EDGE_TOKEN", "EDGE_PASSED"]) {
    Deno.env.set(name, `value of ${name}`);
    variables.defer(() => Deno.env.delete(name));
  }
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(await test.plugin(PROBE), {
    permissions: { env: ["EDGE_PASSED"] },
  });
  assert.equal(await plugin.api.get!("EDGE_TOKEN"), undefined);
  assert.equal(await plugin.api.get!("EDGE_PASSED"), "value of EDGE_PASSED");
  assert.deepEqual(
    ((await plugin.api.variables!()) as string[]).filter((name) => name.startsWith("EDGE_")),
    ["EDGE_PASSED"],
  );
  assert.ok(Deno.env.get("EDGE_TOKEN") !== undefined, "the control: the host has it");
});

Deno.test("variables that would steer the runtime are refused instead of being passed on", async () => {
  await using test = await testHost();
  const path = await test.plugin(PROBE);
  for (const name of ["LD_PRELOAD", "NODE_OPTIONS", "DENO_DIR", "SSL_CERT_FILE"]) {
    await assert.rejects(test.host.load(path, { permissions: { env: { [name]: "x" } } }), ConfigError, name);
  }
});

Deno.test("a plugin reads neither its own folder nor another plugin, unless it is granted", async () => {
  await using test = await testHost();
  const path = await test.plugin(PROBE);
  await using plugin = await test.host.load<Exports>(path);
  await assert.rejects(async () => await plugin.api.read!(path), /Requires read access/);
  await using granted = await test.host.load<Exports>(path, { permissions: { read: [path] } });
  assert.equal(await granted.api.read!(path), PROBE);
  await assert.rejects(async () => await granted.api.write!(path), /Requires write access/);
});

Deno.test("nothing is writable, not even /tmp or /dev/shm, until it is asked for; then it is private", async () => {
  await using test = await testHost();
  const path = await test.plugin(PROBE);
  await using plain = await test.host.load<Exports>(path);
  for (const file of ["/tmp/x", "/dev/shm/x", "/x", "/app/plugin/x"]) {
    await assert.rejects(async () => await plain.api.write!(file), file);
  }
  await using one = await test.host.load<Exports>(path, { limits: { tmp: "1MiB" } });
  await using two = await test.host.load<Exports>(path, { limits: { tmp: "1MiB" } });
  await one.api.write!("/tmp/cordon-edge-case");
  assert.equal(await one.api.read!("/tmp/cordon-edge-case"), "x");
  await assert.rejects(async () => await two.api.read!("/tmp/cordon-edge-case"), /No such file|NotFound/);
  await assert.rejects(Deno.stat("/tmp/cordon-edge-case"), Deno.errors.NotFound);
});

Deno.test("a granted path can appear under another name, read-only, and links in it lead nowhere else", async () => {
  await using folder = await folderWith({ "data/file.txt": "inside", "secret.txt": "outside" });
  await Deno.symlink("../secret.txt", `${folder.path}/data/link.txt`);
  await using test = await testHost();
  await using plugin = await test.host.load<Exports>(await test.plugin(PROBE), {
    permissions: { read: { [`${folder.path}/data`]: "/models" } },
  });
  assert.equal(await plugin.api.read!("/models/file.txt"), "inside");
  await assert.rejects(
    async () => await plugin.api.read!("/models/link.txt"),
    /No such file|NotFound|read access/,
  );
  assert.equal(await Deno.readTextFile(`${folder.path}/data/link.txt`), "outside", "the control");
});

Deno.test("a plugin cannot change how the host sees it, nor reach the host's objects by their names", async () => {
  await using test = await testHost({
    services: { notes: { list: (): string[] => ["a"], _secret: (): string => "s", fields: 3 } },
  });
  await using plugin = await test.host.load<{ ask(method: string): unknown; patch(): unknown }>(
    await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    const notes = service<any>("notes");
    export const ask = (method: string) => notes[method]?.();
    export const patch = () => { Promise.prototype.then = () => { throw 1; }; return 1; };
  `),
    { services: ["notes"] },
  );
  assert.deepEqual(await plugin.api.ask("list"), ["a"]);
  for (const name of ["_secret", "constructor", "__proto__", "toString", "hasOwnProperty", "fields"]) {
    const [end] = await Promise.allSettled([plugin.api.ask(name)]);
    assert.ok(end.status === "rejected" || end.value === undefined, name);
  }
});
