import { deepEqual, equal, ok, throws } from "node:assert/strict";
import type { SandboxMode } from "../../src/config/types.ts";
import { SandboxUnavailableError } from "../../src/errors.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";
import { sandboxTier } from "../../src/policy/sandbox_tier.ts";
import { fakeFacts } from "./fakes.ts";

const BWRAP = fakeFacts().bwrap!;
const OLD = { ...BWRAP, version: "0.4.0", options: new Set(["args"]) };
const MAC = { os: "darwin", bwrap: null, namespacesWork: false, landlockAbi: 0 } as const;
const NAMESPACES = "user-namespaces";

/** Facts changed, what `required` finds missing, what `best-effort` chooses or finds missing. */
const MACHINES: readonly [
  string,
  Partial<PlatformFacts>,
  required: string[],
  bestEffort: string | string[],
][] = [
  ["everything works", {}, [], "namespaces"],
  ["bwrap is not installed", { bwrap: null, namespacesWork: false }, ["bwrap"], "landlock"],
  ["user namespaces are forbidden", { namespacesWork: false }, [NAMESPACES], "landlock"],
  ["bwrap is setuid", { bwrap: { ...BWRAP, isSetuid: true }, namespacesWork: false }, ["bwrap"], "landlock"],
  ["bwrap is too old", { bwrap: OLD, namespacesWork: false }, ["bwrap"], "landlock"],
  ["Landlock is the first of its kind", { namespacesWork: false, landlockAbi: 1 }, [NAMESPACES], "landlock"],
  ["there are no filters", { seccompFilter: false }, ["seccomp"], ["seccomp"]],
  ["the architecture is unknown", { arch: "other" }, ["seccomp"], ["seccomp"]],
  ["there is nothing at all", { namespacesWork: false, landlockAbi: 0 }, [NAMESPACES], [
    NAMESPACES,
    "landlock",
  ]],
  ["it is a Mac", MAC, ["operating-system"], ["operating-system"]],
  ["there is no runtime", { deno: null }, ["deno"], ["deno"]],
];

for (const [name, changes, required, bestEffort] of MACHINES) {
  const facts = fakeFacts(changes);

  Deno.test(`sandboxTier() "required" where ${name}`, () => {
    if (required.length === 0) return equal(sandboxTier("required", facts), "namespaces");
    deepEqual(refusal("required", facts).findings.map((finding) => finding.id), required);
  });

  Deno.test(`sandboxTier() "best-effort" where ${name}`, () => {
    if (typeof bestEffort === "string") return equal(sandboxTier("best-effort", facts), bestEffort);
    deepEqual(refusal("best-effort", facts).findings.map((finding) => finding.id), bestEffort);
  });
}

for (const option of ["disable-userns", "as-pid-1", "json-status-fd"]) {
  Deno.test(`sandboxTier() does without no option of bwrap: --${option}`, () => {
    const facts = (options: ReadonlySet<string>) => fakeFacts({ bwrap: { ...BWRAP, options } });
    equal(sandboxTier("required", facts(BWRAP.options)), "namespaces");
    const others = new Set([...BWRAP.options].filter((name) => name !== option));
    deepEqual(refusal("required", facts(others)).findings.map(({ id, evidence }) => [id, evidence]), [
      ["bwrap", `it has no --${option}`],
    ]);
  });
}

Deno.test('sandboxTier() "permissions-only" is what was asked for, whatever the machine can do', () => {
  equal(sandboxTier("permissions-only", fakeFacts()), "permissions-only");
  equal(sandboxTier("permissions-only", fakeFacts({ os: "darwin", bwrap: null })), "permissions-only");
});

Deno.test("sandboxTier() names the cause in the message and a fix in every finding", () => {
  for (const [, changes, required] of MACHINES) {
    if (required.length === 0) continue;
    const error = refusal("required", fakeFacts(changes));
    ok(error.findings.every((finding) => error.message.includes(finding.summary)), error.message);
    ok(error.findings.every((finding) => (finding.fix?.length ?? 0) > 0));
    ok(error.hint?.includes("cordon doctor"));
  }
});

function refusal(mode: SandboxMode, facts: PlatformFacts): SandboxUnavailableError {
  let caught: unknown;
  throws(() => sandboxTier(mode, facts), (error: unknown) => {
    caught = error;
    return error instanceof SandboxUnavailableError;
  });
  return caught as SandboxUnavailableError;
}

Deno.test("sandboxTier() says that Landlock could not be asked for, rather than that there is none", () => {
  const skip = {
    id: "landlock",
    level: "skip",
    summary: "it cannot be asked for",
    fix: ["--allow-ffi"],
  } as const;
  const facts = fakeFacts({ bwrap: null, namespacesWork: false, landlockAbi: 0 });
  throws(() => sandboxTier("best-effort", facts, [skip]), /it cannot be asked for/);
  throws(() => sandboxTier("best-effort", facts, []), /the kernel has no Landlock/);
  // Others are skipped where another one is missing, which is the reason.
  const other = { ...skip, id: "bwrap" };
  throws(() => sandboxTier("best-effort", facts, [other]), /bubblewrap is not installed; the kernel has no/);
});
