import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { LAYER_CLAIMS } from "./native_layers.ts";
import { NATIVE_TECHNIQUES } from "./native_techniques.ts";
import { type Layer, outcomesBehind } from "./single_layers.ts";
import { ACCOUNT, missingForProbe, World } from "./world.ts";

const missing = await missingForProbe();
const { facts } = await probePlatform({ runAs: ACCOUNT });
const isIntel = Deno.build.arch === "x86_64";

/** Techniques that resource limits are for. */
const LIMITS = ["26 threads without end", "26 descriptors without end"];

const UNAVAILABLE: Readonly<Record<Layer, string | null>> = {
  bubblewrap: facts.namespacesWork ? null : "no user namespaces or no bubblewrap",
  landlock: facts.landlockAbi >= 6 ? null : `Landlock ABI ${facts.landlockAbi}`,
  filters: facts.seccompFilter ? null : "no system call filters",
};

for (const layer of ["bubblewrap", "landlock", "filters"] as const) {
  const why = missing ?? UNAVAILABLE[layer];
  const claim = `the layer "${layer}" stops what it is for, with the others off`;
  Deno.test({
    name: why === null ? claim : `${claim} [skipped: ${why}]`,
    ignore: why !== null,
    fn: async () => {
      await using world = await World.open();
      const outcomes = await outcomesBehind(world, facts, layer);
      const claims = LAYER_CLAIMS.filter(({ name }) => isIntel || name in outcomes);
      const differing = claims.filter(({ name, stopped }) =>
        stopped[layer] !== undefined && outcomes[name] !== stopped[layer]
      );
      assert.deepEqual(differing.map(({ name }) => [name, outcomes[name]]), []);
      assert.ok(claims.filter(({ stopped }) => stopped[layer] !== undefined).length > 30);
    },
  });
}

Deno.test("every native technique that an account can use is stopped by some layer on its own, or by a limit", () => {
  const claimed = new Set([...LAYER_CLAIMS.map(({ name }) => name), ...LIMITS]);
  const unclaimed = NATIVE_TECHNIQUES.filter(({ name, needs }) => needs === "nothing" && !claimed.has(name));
  assert.deepEqual(unclaimed.map(({ name }) => name), []);
});
