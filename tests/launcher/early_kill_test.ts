/** Processes of a sandbox that somebody kills in their first milliseconds, when bubblewrap has only half begun. */

import { deepEqual, equal } from "node:assert/strict";
import { nativeChildren } from "../chaos/native_children.ts";
import { eventually, pidsWith } from "./processes.ts";
import { deadline, ECHO_GUEST, SandboxHarness } from "./sandbox_harness.ts";

/** Kills of each kind, 0 to 12 ms after the start. */
const TRIALS = Number(Deno.env.get("CORDON_TEST_KILLS") ?? 25);

/** Descendants of the process that was spawned, by depth: the guard, bubblewrap, what becomes the runtime. */
const VICTIMS: Readonly<Record<string, number>> = { "the guard": 0, bubblewrap: 1, "its child": 2 };

for (const [who, depth] of Object.entries(VICTIMS)) {
  Deno.test(`LaunchedGuest.exited settles, and nothing is left, whenever ${who} is killed`, async () => {
    await using harness = await SandboxHarness.open(ECHO_GUEST);
    const markers: string[] = [];
    for (let trial = 0; trial < TRIALS; trial++) {
      const marker = crypto.randomUUID();
      markers.push(marker);
      const guest = await harness.launch({ args: [marker] });
      await killWhenThere(guest.pid, depth, (trial % TRIALS) * 12 / TRIALS);
      const late = Symbol("late");
      const settled = await Promise.race([guest.exited, aborted(deadline(), late)]);
      if (settled === late) throw new Error(`trial ${trial} of ${who}: exited never settled`);
      await eventually(`nothing is left of trial ${trial}`, () => pidsWith(marker).length === 0);
    }
    equal(new Set(markers).size, TRIALS);
    deepEqual(markers.filter((marker) => pidsWith(marker).length > 0), []);
  });
}

/** Kills a descendant as soon as it is there, and `delayMs` have passed; without letting the host do anything else. */
function killWhenThere(pid: number, depth: number, delayMs: number): void {
  const end = performance.now() + 5_000;
  const startedAt = performance.now();
  for (;;) {
    const victim = descendant(pid, depth);
    const isTime = performance.now() - startedAt >= delayMs;
    if (victim !== null && isTime) return kill(victim);
    if (performance.now() > end) throw new Error(`There was never a process ${depth} levels below ${pid}`);
  }
}

function descendant(pid: number, depth: number): number | null {
  if (depth === 0) return pid;
  const [child] = nativeChildren(pid);
  return child === undefined ? null : descendant(child, depth - 1);
}

function kill(pid: number): void {
  try {
    Deno.kill(pid, "SIGKILL");
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}

function aborted<T>(signal: AbortSignal, value: T): Promise<T> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(value), { once: true }));
}
