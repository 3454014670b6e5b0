import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { confinedOutcomes, freeOutcomes, type Outcomes } from "./native_probe.ts";
import { NATIVE_EXCEPTIONS, NATIVE_TECHNIQUES, type NativeTechnique } from "./native_techniques.ts";
import { Sandbox } from "./sandbox.ts";
import { ACCOUNT, isRoot, missingForProbe, World } from "./world.ts";

const missing = await missingForProbe();
const { facts } = await probePlatform({ runAs: ACCOUNT });
const hasGroup = ["memory", "pids"].every((name) => facts.cgroup?.directories[name] !== undefined);
const known = NATIVE_TECHNIQUES.filter(({ name }) => Deno.build.arch === "x86_64" || !isIntelOnly(name));

function isIntelOnly(name: string): boolean {
  return name === "17 fork" || name === "17 vfork" || /^(?:48|52) /.test(name);
}

function escapeTest(claim: string, why: string | null, fn: (t: Deno.TestContext) => Promise<void>): void {
  Deno.test({ name: why === null ? claim : `${claim} [skipped: ${why}]`, ignore: why !== null, fn });
}

async function controls(world: World): Promise<readonly Outcomes[]> {
  const account = await freeOutcomes(world, "account");
  return isRoot ? [account, await freeOutcomes(world, "root")] : [account];
}

/** Why a technique's control may fail on this machine, or null. */
function excuse({ needs }: NativeTechnique): string | null {
  if (needs === "nothing" || (needs === "root" && isRoot)) return null;
  return `needs ${needs}`;
}

escapeTest("native techniques work, or are let into the kernel, without any layer", missing, async (t) => {
  await using world = await World.open();
  const outcomes = await controls(world);
  for (const outcome of outcomes) {
    assert.deepEqual(Object.keys(outcome).sort(), known.map(({ name }) => name).sort());
  }
  for (const technique of known) {
    const seen = outcomes.map((outcome) => outcome[technique.name]!);
    if (seen.includes(technique.control)) continue;
    const why = excuse(technique);
    assert.notEqual(
      why,
      null,
      `${technique.name} came to ${seen.join(", ")} instead of ${technique.control}`,
    );
    await t.step({
      name: `${technique.name} [skipped: ${why}, came to ${seen}]`,
      ignore: true,
      fn: () => {},
    });
  }
});

for (const tier of ["full", "namespaces", "landlock"] as const) {
  // A control group bounds what works; it stops nothing else.
  const column = tier === "full" ? "namespaces" : tier;
  const unavailable = tier === "full" && !hasGroup
    ? "no control group that may be divided"
    : column === "namespaces"
    ? facts.namespacesWork ? null : "no user namespaces or no bubblewrap"
    : facts.landlockAbi >= 1
    ? null
    : `Landlock ABI ${facts.landlockAbi}`;

  escapeTest(
    `native techniques fail in the tier "${tier}", each with its own error`,
    missing ?? unavailable,
    async () => {
      await using world = await World.open();
      await using sandbox = await Sandbox.open(world, tier);
      assert.equal(sandbox.policy.tier, tier);
      const free = await controls(world);
      const outcomes = await confinedOutcomes(world, sandbox);
      const differing = known.filter((technique) => {
        const outcome = outcomes[technique.name];
        // Where the host has no such file either, there is nothing that could be refused.
        const isAbsent = outcome === "ENOENT" &&
          free.every((control) => control[technique.name] === "ENOENT");
        return !technique[column].split(" or ").includes(outcome!) && !isAbsent;
      });
      assert.deepEqual(differing.map(({ name }) => [name, outcomes[name]]), []);
      assert.deepEqual(Object.keys(outcomes).sort(), known.map(({ name }) => name).sort());
      const working = Object.entries(outcomes).filter(([, outcome]) => outcome === "works").map(([name]) =>
        name
      );
      assert.deepEqual(working, Object.keys(NATIVE_EXCEPTIONS[column]));
    },
  );
}
