/** Singletons of the host inside real sandboxes. */

import assert from "node:assert/strict";
import { local, ProxiedSingleton } from "../../mod.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

class Cache extends ProxiedSingleton {
  readonly #entries = new Map<string, number>();
  put(key: string, value: number): number {
    this.#entries.set(key, value);
    return this.#entries.size;
  }
}

class Registry extends ProxiedSingleton {
  static override nested = { cache: Cache };
  readonly asked: string[] = [];
  get(name: string): string {
    this.asked.push(name);
    return `model ${name}`;
  }
  @local
  normalize(name: string): string {
    return name.trim();
  }
}

const PLUGIN = `
  import { hostRpc, local, ProxiedSingleton } from "@cordon/cordon/plugin";
  class Cache extends ProxiedSingleton { put(key: string, value: number): number { return 0; } }
  class Registry extends ProxiedSingleton {
    static override nested = { cache: Cache };
    declare readonly cache: Cache;
    get(name: string): string { return "local"; }
    @local normalize(name: string): string { return name.trim(); }
  }
  const registry = Registry.useRemote(hostRpc());
  export const get = async (name: string) => await registry.get(registry.normalize(name));
  export const put = async (key: string) => await registry.cache.put(key, 1);
`;

interface Api {
  get(name: string): string;
  put(key: string): number;
}

Deno.test("a ProxiedSingleton offered as a service is the host's one instance in every plugin", async () => {
  using _scope = ProxiedSingleton.scope();
  await using test = await testHost({ services: { Registry } });
  await using folder = await folderWith({ "one.ts": PLUGIN, "two.ts": PLUGIN });
  await using one = await test.host.load<Api>(`${folder.path}/one.ts`, { services: ["Registry"] });
  await using two = await test.host.load<Api>(`${folder.path}/two.ts`, { services: ["Registry"] });
  assert.equal(await one.api.get(" a "), "model a");
  assert.equal(await two.api.get("b"), "model b");
  assert.deepEqual([await one.api.put("x"), await two.api.put("y")], [1, 2]);
  assert.deepEqual(Registry.instance().asked, ["a", "b"]);
});

Deno.test("a ProxiedSingleton that was not granted cannot be called", async () => {
  using _scope = ProxiedSingleton.scope();
  await using test = await testHost({ services: { Registry } });
  await using plugin = await test.host.load<Api>(await test.plugin(PLUGIN));
  await assert.rejects(plugin.api.get("a"), /Registry/);
});

Deno.test("a grant that lists methods of a ProxiedSingleton leaves the others out", async () => {
  using _scope = ProxiedSingleton.scope();
  class Two extends ProxiedSingleton {
    one(): number {
      return 1;
    }
    two(): number {
      return 2;
    }
  }
  await using test = await testHost({ services: { Two } });
  const path = await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    const two = service<any>("Two");
    export const one = async () => await two.one();
    export const other = async () => await two.two();
  `);
  await using plugin = await test.host.load<{ one(): number; other(): number }>(path, {
    services: { Two: ["one"] },
  });
  assert.equal(await plugin.api.one(), 1);
  await assert.rejects(plugin.api.other(), /two/);
});

Deno.test("a grant that lists methods of a ProxiedSingleton leaves nested ones out that it does not name", async () => {
  using _scope = ProxiedSingleton.scope();
  await using test = await testHost({ services: { Registry, Cache } });
  await using folder = await folderWith({ "plugin.ts": PLUGIN });
  const load = (services: Record<string, readonly string[]>) =>
    test.host.load<Api>(`${folder.path}/plugin.ts`, { services });
  {
    await using plugin = await load({ Registry: ["get"] });
    assert.equal(await plugin.api.get("a"), "model a");
    await assert.rejects(plugin.api.put("x"), /Cannot call "Cache.put" as it must be exposed/);
    assert.deepEqual({ ...plugin.inspect().targets }, { Registry: ["get"] });
  }
  for (const services of [{ Registry: ["cache.put"] }, { Registry: [], Cache: ["put"] }]) {
    await using plugin = await load(services);
    assert.equal(typeof await plugin.api.put("x"), "number");
    await assert.rejects(plugin.api.get("a"), /Cannot call "Registry.get" as it must be exposed/);
  }
  for (const wrong of ["cache.gone", "cash.put", "cache.", "cache.put.deep"]) {
    await assert.rejects(load({ Registry: [wrong] }), /Cannot use "services.Registry\[0\]" as/, wrong);
  }
});

Deno.test("service() reaches a ProxiedSingleton by the name that was granted, whatever its class is called", async () => {
  using _scope = ProxiedSingleton.scope();
  await using test = await testHost({ services: { models: Registry } });
  const path = await test.plugin(`
    import { hostRpc, ProxiedSingleton, service } from "@cordon/cordon/plugin";
    class Registry extends ProxiedSingleton { get(name: string): string { return "local"; } }
    const models = service<any>("models"), registry = Registry.useRemote(hostRpc());
    export const both = async () => [await models.get("a"), await registry.get("b"), Object.keys(models)];
  `);
  await using plugin = await test.host.load<{ both(): unknown[] }>(path, { services: ["models"] });
  assert.deepEqual(await plugin.api.both(), ["model a", "model b", ["get"]]);
  assert.deepEqual(Object.keys(plugin.inspect().targets), ["Registry", "Cache"]);
});
