/** Plugins that ask for more than they were granted, in real sandboxes. */

import assert from "node:assert/strict";
import { SandboxUnavailableError } from "../../src/errors.ts";
import type { PermissionEvent } from "../../src/supervisor/permission_event.ts";
import type { LearnedGrant, PermissionRequest } from "../../src/util/permission.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

interface Asking {
  read(path: string): string;
  host(): string;
  release(): string;
  ffi(): string[];
}

const ASKING = `
  export const read = (path: string) => Deno.readTextFileSync(path);
  export const host = () => Deno.hostname();
  export const release = () => Deno.osRelease();
  export function ffi() {
    const attempts = [
      () => Deno.dlopen("/app/libcordon.so", {}),
      () => Deno.UnsafePointer.create(1n),
      () => Deno.readTextFileSync("/run/cordon/boot.json"),
      () => Deno.connect({ transport: "unix", path: "/run/cordon/rpc.sock" }),
    ];
    return Promise.all(attempts.map(async (attempt) => {
      try { await attempt(); return "done"; } catch (error) { return error.name; }
    }));
  }
`;

Deno.test("LoadOptions.onPermission answers what the grant leaves open, once for each value", async () => {
  await using test = await testHost();
  const asked: PermissionRequest[] = [];
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING, "asking.ts"), {
    onPermission: async (request) => {
      asked.push(request);
      await Promise.resolve();
      return request.value === "hostname" ? "allow" : { reason: "not today" };
    },
  });
  assert.equal(await plugin.api.host(), "plugin");
  assert.equal(await plugin.api.host(), "plugin");
  await assert.rejects(plugin.api.release(), /not today/);
  assert.deepEqual(asked, [
    {
      plugin: "asking",
      permission: "sys",
      value: "hostname",
      suggestion: 'permissions: { sys: ["hostname"] }',
    },
    {
      plugin: "asking",
      permission: "sys",
      value: "osRelease",
      suggestion: 'permissions: { sys: ["osRelease"] }',
    },
  ]);
});

Deno.test("without onPermission nobody is asked and Deno itself denies", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING));
  await assert.rejects(plugin.api.host(), {
    name: "NotCapable",
    message: /Requires sys access to "hostname"/,
  });
});

Deno.test("a plugin under a permission broker that allows everything has neither FFI nor the guest's own files", async () => {
  await using test = await testHost();
  const asked: string[] = [];
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING), {
    onPermission: ({ permission }) => (asked.push(permission), "allow"),
  });
  assert.equal(await plugin.api.host(), "plugin", "positive control: what is asked for is allowed");
  const [dlopen, pointer] = await plugin.api.ffi();
  assert.deepEqual([dlopen, pointer], ["NotCapable", "NotCapable"]);
  assert.equal(asked.includes("ffi"), false);
});

Deno.test("the boot record and the socket of a sandbox are closed to its plugin under a permission broker", async () => {
  await using test = await testHost();
  const plugins = { denied: { onPermission: () => "deny" as const }, unasked: {} };
  for (const [name, options] of Object.entries(plugins)) {
    await using plugin = await test.host.load<Asking>(await test.plugin(ASKING), { name, ...options });
    assert.deepEqual((await plugin.api.ffi()).slice(2), ["NotCapable", "NotCapable"], name);
  }
});

Deno.test("HostOptions.onPermission is asked for every plugin without a callback of its own", async () => {
  const asked: string[] = [];
  await using test = await testHost({
    onPermission: ({ plugin, value }) => (asked.push(`${plugin} ${value}`), "allow"),
  });
  const path = await test.plugin(ASKING);
  await using first = await test.host.load<Asking>(path, { name: "first" });
  await using second = await test.host.load<Asking>(path, { name: "second", onPermission: () => "deny" });
  assert.equal(await first.api.host(), "plugin");
  await assert.rejects(second.api.host(), { name: "NotCapable" });
  assert.deepEqual(asked, ["first hostname"]);
});

Deno.test("a plugin that waits for an answer is not killed by its heartbeat or its wall limit", async () => {
  await using test = await testHost();
  const asking = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<"allow">();
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING), {
    heartbeatMs: 20,
    limits: { wallMs: 400 },
    onPermission: () => (asking.resolve(), answer.promise),
  });
  const call = plugin.api.host();
  await asking.promise;
  const { promise: later, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 600);
  await later;
  answer.resolve("allow");
  assert.equal(await call, "plugin");
  assert.equal(plugin.status.state, "running");
});

Deno.test("a restarted plugin has a permission broker again", async () => {
  await using test = await testHost();
  let asked = 0;
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING), {
    onPermission: () => (asked++, "allow"),
  });
  await plugin.api.host();
  await plugin.restart();
  assert.equal(await plugin.api.host(), "plugin");
  assert.equal(asked, 2);
});

Deno.test("a sandbox that was started in advance asks the plugin that it was given to", async () => {
  await using test = await testHost({ warm: 1 });
  const path = await test.plugin(ASKING);
  const asked: string[] = [];
  for (const who of ["one", "two"]) {
    await using plugin = await test.host.load<Asking>(path, {
      onPermission: () => (asked.push(who), "allow"),
    });
    assert.equal(await plugin.api.host(), "plugin");
  }
  assert.deepEqual(asked, ["one", "two"]);
});

Deno.test("host.on('permission') hears each decision of a broker with its outcome", async () => {
  await using test = await testHost();
  const events: PermissionEvent[] = [];
  using _listener = test.host.on("permission", (event) => void events.push(event));
  await using plugin = await test.host.load<Asking>(await test.plugin(ASKING), {
    onPermission: ({ value }) => value === "hostname" ? "allow" : "deny",
  });
  await plugin.api.host();
  await assert.rejects(plugin.api.release(), { name: "NotCapable" });
  const asked = events.filter(({ by }) => by === "callback");
  assert.deepEqual(
    asked.map(({ permission, value, outcome, suggestion }) => [permission, value, outcome, suggestion]),
    [
      ["sys", "hostname", "allow", null],
      ["sys", "osRelease", "deny", 'permissions: { sys: ["osRelease"] }'],
    ],
  );
});

Deno.test("host.on('permission') hears each decision of the network's proxy", async () => {
  await using test = await testHost();
  const events: PermissionEvent[] = [];
  using _listener = test.host.on("permission", (event) => void events.push(event));
  // Past every function of Deno's: in the proxy's own language, to its own socket.
  const path = await test.plugin(`
    export async function reach(host: string) {
      using socket = await Deno.connect({ transport: "unix", path: "/run/cordon/net.sock" });
      await socket.write(new TextEncoder().encode("connect " + host + "\\n"));
      return await new Response(socket.readable).text();
    }
  `);
  await using plugin = await test.host.load<{ reach(host: string): string }>(path, {
    permissions: { net: ["nowhere.invalid:80"] },
  });
  assert.match(await plugin.api.reach("other.invalid:80"), /^denied /);
  const [event] = events;
  assert.deepEqual(
    [event?.permission, event?.value, event?.outcome, event?.by, event?.suggestion],
    ["net", "other.invalid:80", "deny", "proxy", 'permissions: { net: ["other.invalid:80"] }'],
  );
});

Deno.test("onPermission is refused where nothing confines paths below Deno", async () => {
  await using test = await testHost();
  await assert.rejects(
    test.host.load(await test.plugin(ASKING), { sandbox: "permissions-only", onPermission: () => "allow" }),
    (error: unknown) => {
      assert.ok(error instanceof SandboxUnavailableError);
      assert.equal(error.findings[0]?.id, "permission-broker");
      return true;
    },
  );
});

Deno.test("Plugin.learned() is the smallest grant for what the plugin did, and learn hears it at the end", async () => {
  await using test = await testHost();
  await using folder = await folderWith({ "data/a.txt": "a", "data/b.txt": "b" });
  let heard: LearnedGrant | null = null;
  const plugin = await test.host.load<Asking>(await test.plugin(ASKING), {
    permissions: { read: [folder.path] },
    learn: (grant) => void (heard = grant),
  });
  assert.equal(await plugin.api.read(`${folder.path}/data/a.txt`), "a");
  assert.equal(await plugin.api.host(), "plugin");
  const [dlopen] = await plugin.api.ffi();
  assert.equal(dlopen, "NotCapable", "learning grants no native code");
  const learned = plugin.learned();
  assert.deepEqual(learned?.read.filter((path) => path.startsWith(folder.path)), [
    `${folder.path}/data/a.txt`,
  ]);
  assert.deepEqual(learned?.sys, ["hostname"]);
  assert.ok(learned?.refused.some(({ permission }) => permission === "ffi"));
  await plugin.stop();
  assert.deepEqual(heard, plugin.learned());
});

Deno.test("Plugin.learned() is null for a plugin that does not learn", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load(await test.plugin(ASKING));
  assert.equal(plugin.learned(), null);
});
