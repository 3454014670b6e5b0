import { equal, ok } from "node:assert/strict";
import fc from "fast-check";
import { CpuBudget } from "../../src/launcher/cpu_budget.ts";

/** A process with `cores` busy threads, looked at every `periodMs`. Returns its processor time in milliseconds. */
function simulate(percent: number, cores: number, periodMs: number, durationMs: number): number {
  const budget = new CpuBudget(percent, 0, 0);
  let [cpuMs, mayRun] = [0, true];
  for (let nowMs = periodMs; nowMs <= durationMs; nowMs += periodMs) {
    if (mayRun) cpuMs += cores * periodMs;
    mayRun = budget.mayRun(nowMs, cpuMs);
  }
  return cpuMs;
}

Deno.test("CpuBudget.mayRun() keeps a busy process to its share", () => {
  const inputs = [
    fc.integer({ min: 1, max: 400 }),
    fc.integer({ min: 1, max: 8 }),
    fc.integer({ min: 5, max: 50 }),
  ] as const;
  fc.assert(fc.property(...inputs, (percent, cores, periodMs) => {
    const durationMs = 20_000;
    const used = simulate(percent, cores, periodMs, durationMs);
    const share = Math.min(percent / 100, cores) * durationMs;
    const burst = (percent / 100) * 200 + cores * periodMs;
    ok(used <= share + burst, `${used} of ${share} ms at ${percent} %, ${cores} cores, every ${periodMs} ms`);
    ok(
      used >= share - burst,
      `only ${used} of ${share} ms at ${percent} %, ${cores} cores, every ${periodMs} ms`,
    );
  }));
});

Deno.test("CpuBudget.mayRun() lets a process run that stays below its share", () => {
  const budget = new CpuBudget(50, 0, 0);
  for (let nowMs = 25; nowMs < 10_000; nowMs += 25) equal(budget.mayRun(nowMs, nowMs * 0.4), true);
});

Deno.test("CpuBudget.mayRun() does not let a process save up more than a burst", () => {
  const budget = new CpuBudget(50, 0, 0);
  equal(budget.mayRun(1_000_000, 0), true);
  equal(budget.mayRun(1_000_025, 200), false);
});
