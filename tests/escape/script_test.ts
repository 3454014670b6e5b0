import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { confinedAttacks, freeAttacks, type ScriptOutcomes } from "./script_attacks.ts";
import { SCRIPT_EXCEPTIONS, SCRIPT_TECHNIQUES, type ScriptColumn } from "./script_techniques.ts";
import type { SuiteTier } from "./sandbox.ts";
import { ACCOUNT, missingForProbe, World } from "./world.ts";

const missing = await missingForProbe();
const { facts } = await probePlatform({ runAs: ACCOUNT });
const noNamespaces = facts.namespacesWork ? null : "no user namespaces or no bubblewrap";
const noLandlock = facts.landlockAbi >= 1 ? null : `Landlock ABI ${facts.landlockAbi}`;

interface Way {
  readonly column: ScriptColumn;
  readonly tier: SuiteTier;
  readonly permissions: "deno" | "all";
  readonly claim: string;
  readonly unavailable: string | null;
}

const noGroup = ["memory", "pids"].every((name) => facts.cgroup?.directories[name] !== undefined)
  ? null
  : "no control group that may be divided";

const WAYS: readonly Way[] = [
  {
    column: "namespaces",
    tier: "full",
    permissions: "deno",
    claim: "attacks of a script fail behind all layers and a control group",
    unavailable: noNamespaces ?? noGroup,
  },
  {
    column: "namespacesOpen",
    tier: "full",
    permissions: "all",
    claim: "attacks of a script fail behind the kernel's layers and a control group",
    unavailable: noNamespaces ?? noGroup,
  },
  {
    column: "namespaces",
    tier: "namespaces",
    permissions: "deno",
    claim: "attacks of a script fail behind all layers",
    unavailable: noNamespaces,
  },
  {
    column: "namespacesOpen",
    tier: "namespaces",
    permissions: "all",
    claim: "attacks of a script fail behind the kernel's layers alone",
    unavailable: noNamespaces,
  },
  {
    column: "permissionsOnly",
    tier: "permissions-only",
    permissions: "deno",
    claim: "attacks of a script fail behind Deno's permissions alone",
    unavailable: null,
  },
  {
    column: "landlock",
    tier: "landlock",
    permissions: "deno",
    claim: "attacks of a script fail in the Landlock tier",
    unavailable: noLandlock,
  },
  {
    column: "landlockOpen",
    tier: "landlock",
    permissions: "all",
    claim: "attacks of a script fail behind Landlock and filters alone",
    unavailable: noLandlock,
  },
];

function escapeTest(claim: string, why: string | null, fn: () => Promise<void>): void {
  Deno.test({ name: why === null ? claim : `${claim} [skipped: ${why}]`, ignore: why !== null, fn });
}

function differing(
  outcomes: ScriptOutcomes,
  column: ScriptColumn | "control",
): readonly (readonly string[])[] {
  return SCRIPT_TECHNIQUES
    .filter((technique) => !technique[column].split(" or ").includes(outcomes[technique.name]!))
    .map((technique) => [technique.name, outcomes[technique.name] ?? "not tried"]);
}

escapeTest("attacks of a script work without any layer", missing, async () => {
  await using world = await World.open();
  const outcomes = await freeAttacks(world);
  assert.deepEqual(Object.keys(outcomes), SCRIPT_TECHNIQUES.map(({ name }) => name));
  assert.deepEqual(differing(outcomes, "control"), []);
});

for (const { column, tier, permissions, claim, unavailable } of WAYS) {
  escapeTest(`${claim}, each with its own error`, missing ?? unavailable, async () => {
    await using world = await World.open();
    const outcomes = await confinedAttacks(world, tier, permissions);
    assert.deepEqual(differing(outcomes, column), []);
    assert.deepEqual(Object.keys(outcomes), SCRIPT_TECHNIQUES.map(({ name }) => name));
    const working = Object.keys(outcomes).filter((name) => outcomes[name] === "works");
    assert.deepEqual(working, Object.keys(SCRIPT_EXCEPTIONS[column]));
  });
}
