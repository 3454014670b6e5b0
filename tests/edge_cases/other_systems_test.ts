/** Entries of pyisolate's list that have no test elsewhere. */

import assert from "node:assert/strict";
import { DisposedError, PermissionDeniedError, ProxiedSingleton } from "../../mod.ts";
import { testHost } from "../testing/fixtures.ts";

class Cache extends ProxiedSingleton {
  hits(): number {
    return 7;
  }
}

class Registry extends ProxiedSingleton {
  static override readonly nested = { cache: Cache };
  size(): number {
    return 12;
  }
}

Deno.test("a singleton brings those that it names as nested", async () => {
  await using harness = await testHost({ services: { registry: Registry } });
  const file = await harness.plugin(`
    import { hostRpc, ProxiedSingleton } from "@cordon/cordon/plugin";
    class Cache extends ProxiedSingleton { hits(): Promise<number> { throw new Error("never here") } }
    class Registry extends ProxiedSingleton {
      static override readonly nested = { cache: Cache };
      declare readonly cache: Cache;
      size(): Promise<number> { throw new Error("never here") }
    }
    Registry.useRemote(hostRpc());
    export const both = async (): Promise<number[]> =>
      [await Registry.instance().size(), await Registry.instance().cache.hits()];
  `);
  await using plugin = await harness.host.load<{ both(): number[] }>(file, { services: ["registry"] });
  assert.deepEqual(await plugin.api.both(), [12, 7]);
});

Deno.test("a grant that would open the host is refused, not skipped", async () => {
  await using harness = await testHost();
  const file = await harness.plugin("export const a = (): number => 1;");
  for (const path of ["/", "/etc", "/proc/self", "/sys", "/dev", "/var", "/usr"]) {
    for (const permissions of [{ read: [path] }, { write: [path] }]) {
      await assert.rejects(harness.host.load(file, { permissions }), PermissionDeniedError, path);
    }
  }
});

Deno.test("calls around a stop are answered: those in flight and those that come too late", async () => {
  await using harness = await testHost();
  const file = await harness.plugin("export const never = (): Promise<void> => new Promise(() => {});");
  const plugin = await harness.host.load<{ never(): void }>(file);
  const inFlight = Promise.resolve(plugin.api.never());
  const stopping = plugin.stop();
  const during = Promise.resolve(plugin.api.never());
  const results = await Promise.allSettled([inFlight, during, stopping.then(() => plugin.api.never())]);
  for (const result of results) {
    assert.ok(result.status === "rejected" && result.reason instanceof DisposedError, JSON.stringify(result));
  }
});
