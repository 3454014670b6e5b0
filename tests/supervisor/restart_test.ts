import assert from "node:assert/strict";
import fc from "fast-check";
import { restartConfig } from "../../src/config/restart.ts";
import { backoffMs, noCrashes, restartDecision, type RestartHistory } from "../../src/supervisor/restart.ts";

const usual = restartConfig(true, "restart");

function delays(
  options: unknown,
  crashes: readonly { at: number; ranMs?: number }[],
  random = 0,
): (number | string)[] {
  const config = restartConfig(options, "restart");
  let history: RestartHistory = noCrashes;
  return crashes.map(({ at, ranMs = 0 }) => {
    const { decision, history: next } = restartDecision(config, history, { at, ranMs }, random);
    history = next;
    return decision.kind === "restart" ? decision.delayMs : decision.kind;
  });
}

const every = (stepMs: number, count: number) =>
  Array.from({ length: count }, (_, index) => ({ at: index * stepMs }));

Deno.test("restartDecision() doubles the wait from 100 ms, five times within a minute, then quarantines", () => {
  assert.deepEqual(delays(true, every(1_000, 6)), [100, 200, 400, 800, 1_600, "quarantine"]);
});

Deno.test("restartDecision() grows linearly when asked", () => {
  assert.deepEqual(delays({ backoff: "linear" }, every(1_000, 4)), [1_000, 2_000, 3_000, 4_000]);
});

Deno.test("restartDecision() takes the wait of a custom function", () => {
  assert.deepEqual(delays({ backoff: (attempt: number) => attempt * attempt }, every(1, 3)), [1, 4, 9]);
});

Deno.test("restartDecision() never waits longer than the longest wait before jitter", () => {
  assert.deepEqual(delays({ maxRestarts: 100 }, every(1_000, 12)).slice(8), [25_600, 30_000, 30_000, 30_000]);
});

Deno.test("restartDecision() starts afresh after a stable time", () => {
  const crashes = [{ at: 0 }, { at: 1 }, { at: 2 }, { at: 40_000, ranMs: 30_000 }, { at: 40_001 }];
  assert.deepEqual(delays(true, crashes), [100, 200, 400, 100, 200]);
});

Deno.test("restartDecision() does not hold crashes before a stable time against what comes after it", () => {
  const crashes = [{ at: 0 }, { at: 1_000 }];
  const after = { at: 40_000, ranMs: 30_000 };
  assert.deepEqual(delays({ maxRestarts: 2 }, [...crashes, after]), [100, 200, 100]);
  assert.deepEqual(delays({ maxRestarts: 2 }, [...crashes, { at: 40_000 }]), [100, 200, "quarantine"]);
});

Deno.test("restartDecision() does not count an uptime just below the stable time as stable", () => {
  assert.deepEqual(delays(true, [{ at: 0 }, { at: 30_000, ranMs: 29_999 }]), [100, 200]);
});

Deno.test("restartDecision() forgets crashes that have left the window, but not the attempts", () => {
  assert.deepEqual(delays({ maxRestarts: 1, windowMs: 1_000 }, every(1_000, 4)), [100, 200, 400, 800]);
  assert.deepEqual(delays({ maxRestarts: 1, windowMs: 1_001 }, every(1_000, 2)), [100, "quarantine"]);
});

Deno.test("restartDecision() quarantines at the first crash when no restart is allowed", () => {
  assert.deepEqual(delays({ maxRestarts: 0 }, [{ at: 0 }]), ["quarantine"]);
});

Deno.test("restartDecision() adds jitter on top, so that a wait is never shorter than promised", () => {
  assert.deepEqual(delays(true, [{ at: 0 }], 0.5), [110]);
  fc.assert(
    fc.property(
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.nat(20),
      (random, earlier) => {
        const history = { attempt: earlier, crashes: [] };
        const { decision } = restartDecision(usual, history, { at: 5, ranMs: 0 }, random);
        assert.ok(decision.kind === "restart");
        const base = backoffMs(usual.backoff, earlier + 1);
        assert.ok(decision.delayMs >= base && decision.delayMs <= Math.round(base * 1.2));
        assert.equal(decision.nextAt, 5 + decision.delayMs);
      },
    ),
  );
});

Deno.test("restartDecision() refuses a custom function that answers nonsense", () => {
  for (const answer of [Number.NaN, -1, Infinity]) {
    assert.throws(() => delays({ backoff: () => answer }, [{ at: 0 }]), {
      name: "RangeError",
      message: `Cannot use the result of the backoff function as milliseconds: it is ${answer}`,
    });
  }
});
