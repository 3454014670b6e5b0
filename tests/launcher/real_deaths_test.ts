import { deepEqual, equal, ok } from "node:assert/strict";
import type { LimitConfig } from "../../src/config/types.ts";
import type { ExitReport } from "../../src/launcher/types.ts";
import { DEFAULT_LIMITS } from "../policy/fakes.ts";
import { type HarnessOptions, SandboxHarness } from "./sandbox_harness.ts";

const TIERS: readonly [string, HarnessOptions][] = [
  ["namespaces", {}],
  ["landlock", { config: { sandbox: "best-effort" }, facts: { bwrap: null } }],
  ["permissions-only", { config: { sandbox: "permissions-only" } }],
];

async function death(
  guestScript: string,
  options: HarnessOptions,
  limits: Partial<LimitConfig> = {},
): Promise<ExitReport> {
  const config = { ...options.config, limits: { ...DEFAULT_LIMITS, ...limits } };
  await using harness = await SandboxHarness.open(guestScript, { ...options, config });
  const guest = await harness.launch();
  return await guest.exited;
}

for (const [tier, options] of TIERS) {
  Deno.test(`a guest that fills its heap is reported as out of memory in the ${tier} tier`, async () => {
    const bomb = `const kept = []; for (;;) kept.push(new Array(1000).fill({ a: 1 }));`;
    const { reason, exitCode, stderrTail } = await death(bomb, options, { memoryBytes: 64 * 2 ** 20 });
    deepEqual({ reason, exitCode }, { reason: "out-of-memory", exitCode: null });
    ok(stderrTail.includes("heap"), stderrTail);
  });

  Deno.test(`a guest that uses up its processor time is reported so in the ${tier} tier`, async () => {
    const { reason } = await death("for (;;);", options, { cpuSeconds: 1 });
    equal(reason, "cpu-limit");
  });

  Deno.test(`a guest's exit code and its last words are reported in the ${tier} tier`, async () => {
    const { reason, exitCode, signal, stderrTail } = await death(
      `console.error("bye"); Deno.exit(42);`,
      options,
    );
    deepEqual({ reason, exitCode, signal, stderrTail }, {
      ...{ reason: "exit-code", exitCode: 42, signal: null, stderrTail: "bye\n" },
    });
  });
}
