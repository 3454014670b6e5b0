/** Network grants of plugins in real sandboxes, with and without a permission broker. */

import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/mod.ts";
import { testHost } from "../testing/fixtures.ts";

interface Client {
  get(url: string): Promise<string>;
  nodeGet(url: string): Promise<string>;
  knock(path: string): Promise<string>;
}

const CLIENT = `
  import http from "node:http";
  export const get = async (url: string) => await (await fetch(url)).text();
  export const nodeGet = (url: string) => new Promise((resolve, reject) => {
    http.get(url, async (response) => resolve((await response.toArray()).join(""))).on("error", reject);
  });
  export async function knock(path: string) {
    try {
      (await Deno.connect({ transport: "unix", path })).close();
      return "open";
    } catch (error) {
      return error.name;
    }
  }
`;

/** A server on the host's loopback device. */
function serve() {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => new Response("hello"));
  return { url: `127.0.0.1:${server.addr.port}`, [Symbol.asyncDispose]: () => server.shutdown() };
}

const brokers = { "": {}, " under a permission broker": { onPermission: () => "deny" as const } };

for (const [how, options] of Object.entries(brokers)) {
  Deno.test(`a plugin with the host's network${how} reaches it, and not its own control socket`, async () => {
    await using server = serve();
    await using test = await testHost();
    await using plugin = await test.host.load<Client>(await test.plugin(CLIENT), {
      ...options,
      permissions: { net: "host" },
    });
    assert.equal(await plugin.api.get(`http://${server.url}/`), "hello");
    assert.equal(await plugin.api.knock("/run/cordon/rpc.sock"), "NotCapable");
  });

  Deno.test(`a plugin with a list of hosts${how} reaches them through the proxy by fetch and by node:http`, async () => {
    await using server = serve();
    await using test = await testHost();
    await using plugin = await test.host.load<Client>(await test.plugin(CLIENT), {
      ...options,
      permissions: { net: [server.url] },
    });
    assert.equal(await plugin.api.get(`http://${server.url}/`), "hello");
    assert.equal(await plugin.api.nodeGet(`http://${server.url}/`), "hello");
    assert.equal(await plugin.api.knock("/run/cordon/rpc.sock"), "NotCapable");
    assert.equal(await plugin.api.knock("/run/cordon/net.sock"), "open", "positive control");
  });
}

const skip = (await probePlatform()).facts.landlockAbi > 0 ? "" : " [skipped: this kernel has no Landlock]";

Deno.test(`a permission broker works where Landlock alone confines the plugin${skip}`, {
  ignore: skip !== "",
}, async () => {
  await using test = await testHost({ bwrap: "/nonexistent/bwrap", sandbox: "best-effort" });
  const asked: (string | null)[] = [];
  const path = await test.plugin(`
    export const host = () => Deno.hostname();
    export const kind = () => { try { Deno.UnsafePointer.create(1n); } catch (error) { return error.name; } };
  `);
  await using plugin = await test.host.load<{ host(): string; kind(): string }>(path, {
    onPermission: ({ value }) => (asked.push(value), "allow"),
  });
  assert.equal(plugin.policy.tier, "landlock");
  assert.equal(await plugin.api.host(), Deno.hostname());
  assert.equal(await plugin.api.kind(), "NotCapable");
  assert.deepEqual(asked, ["hostname"]);
});
