import assert from "node:assert/strict";
import { poolConfig, poolSizes } from "../../src/config/pool.ts";
import { restartConfig } from "../../src/config/restart.ts";
import { watchConfig } from "../../src/config/watch.ts";
import { assertConfigError } from "./assert_config_error.ts";

Deno.test("restartConfig() is off by default, and complete when it is on", () => {
  assert.equal(restartConfig(undefined, "restart").isEnabled, false);
  assert.equal(restartConfig(false, "restart").isEnabled, false);
  assert.deepEqual(restartConfig(true, "restart"), {
    isEnabled: true,
    backoff: { kind: "exponential", initialMs: 100, factor: 2, maxMs: 30_000 },
    jitter: 0.2,
    maxRestarts: 5,
    windowMs: 60_000,
    stableMs: 30_000,
  });
});

Deno.test("restartConfig() reads a linear backoff and a custom one", () => {
  assert.deepEqual(restartConfig({ backoff: "linear" }, "restart").backoff, {
    kind: "linear",
    initialMs: 1_000,
    incrementMs: 1_000,
    maxMs: 30_000,
  });
  const { backoff } = restartConfig({ backoff: (attempt: number) => attempt * 7 }, "restart");
  assert.equal(backoff.kind === "custom" && backoff.delayMs(3), 21);
});

Deno.test("watchConfig() reads a fixed, an adaptive and a custom wait", () => {
  assert.deepEqual(watchConfig(true, "watch"), {
    isEnabled: true,
    debounce: { kind: "trailing", delayMs: 500 },
    maxFailures: 3,
    openMs: 60_000,
  });
  assert.deepEqual(watchConfig({ debounce: 50 }, "watch").debounce, { kind: "trailing", delayMs: 50 });
  assert.deepEqual(watchConfig({ debounce: { maxMs: 900 } }, "watch").debounce, {
    kind: "adaptive",
    minMs: 200,
    maxMs: 900,
  });
  const { debounce } = watchConfig({ debounce: (changes: unknown[]) => changes.length }, "watch");
  assert.equal(debounce.kind === "custom" && debounce.delayMs([]), 0);
});

for (
  const [options, minSize, maxSize] of [
    [{}, 4, 4],
    [{ size: 2 }, 2, 2],
    [{ minSize: 1 }, 1, 4],
    [{ minSize: 6 }, 6, 6],
    [{ maxSize: 2 }, 2, 2],
    [{ maxSize: 8 }, 4, 8],
    [{ minSize: 0, maxSize: 8 }, 0, 8],
    [{ size: 2, minSize: 0, maxSize: 8 }, 0, 8],
  ] as const
) {
  Deno.test(`poolConfig() reads ${JSON.stringify(options)} as ${minSize} to ${maxSize} workers`, () => {
    const config = poolConfig(options);
    assert.deepEqual([config.minSize, config.maxSize], [minSize, maxSize]);
  });
}

const refused: readonly (readonly [() => unknown, string, string])[] = [
  [
    () => poolConfig({ sizes: 1 }),
    "sizes",
    'Cannot use "sizes" as an option: "sizes" is not known, "size" is',
  ],
  [
    () => poolSizes({ queueSize: 1 }),
    "queueSize",
    'Cannot use "queueSize" as an option: "queueSize" is not known',
  ],
  [() => poolConfig({ size: 0 }), "size", 'Cannot use "size" as a number of workers: 0 is less than 1'],
  [
    () => poolConfig({ minSize: 5, maxSize: 2 }),
    "minSize",
    'Cannot use "minSize" as a number of workers: 5 is more than the 2 of the largest size',
  ],
  [
    () => poolConfig({ onQueueFull: "drop" }),
    "onQueueFull",
    'Cannot use "onQueueFull" as one of "reject", "wait", "drop-oldest": it is "drop"',
  ],
  [
    () => restartConfig({ backoff: "quadratic" }, "restart"),
    "restart.backoff",
    'Cannot use "restart.backoff" as an object of options: it is "quadratic"',
  ],
  [
    () => restartConfig({ backoff: { kind: "linear", factor: 2 } }, "restart"),
    "restart.backoff.factor",
    'Cannot use "restart.backoff.factor" as an option: a linear backoff has no factor',
  ],
  [
    () => restartConfig({ backoff: { incrementMs: 2 } }, "restart"),
    "restart.backoff.incrementMs",
    'Cannot use "restart.backoff.incrementMs" as an option: "exponential" grows by a factor',
  ],
  [
    () => restartConfig({ jitter: 2 }, "restart"),
    "restart.jitter",
    'Cannot use "restart.jitter" as a share from 0 to 1: 2 is more than 1',
  ],
  [
    () => restartConfig("yes", "restart"),
    "restart",
    'Cannot use "restart" as an object of options: it is "yes"',
  ],
  [
    () => watchConfig({ debounce: { minMs: 9_000 } }, "watch"),
    "watch.debounce",
    'Cannot use "watch.debounce" as bounds of a wait: 9000 is more than 5000',
  ],
];

for (const [work, path, message] of refused) {
  Deno.test(`Options of supervision are refused: ${message}`, () => {
    assertConfigError(work, { path, message });
  });
}
