/**
 * Parses when a crashed plugin is started again.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { invalid, object, oneOf } from "./parse.ts";
import { amount, count, duration } from "./quantity.ts";
import type { BackoffConfig, RestartConfig } from "./types.ts";

const backoffShape = Object.freeze({
  kind: oneOf("exponential", "linear"),
  initialMs: duration({ min: 1 }),
  factor: amount("a factor", { min: 1, max: 100 }),
  incrementMs: duration(),
  maxMs: duration({ min: 1 }),
});

const shape = Object.freeze({
  backoff: backoffConfig,
  jitter: amount("a share from 0 to 1", { max: 1 }),
  maxRestarts: count("a number of restarts", { max: 1_000 }),
  windowMs: duration({ min: 1 }),
  stableMs: duration({ min: 1 }),
});

/**
 * Reads `restart`: `true`, `false`, or an object of options.
 *
 * @param value What was written; `undefined` is `false`.
 * @param path Where it stands.
 * @returns Frozen configuration. `false` allows no restart at all: `maxRestarts` is 0 and `isEnabled` false.
 */
export function restartConfig(value: unknown, path: string): RestartConfig {
  const isFlag = value === undefined || typeof value === "boolean";
  const parsed = object(isFlag ? {} : value, path, shape);
  return Object.freeze({
    isEnabled: !isFlag || value === true,
    backoff: parsed.backoff ?? backoffConfig("exponential", path),
    jitter: parsed.jitter ?? 0.2,
    maxRestarts: parsed.maxRestarts ?? 5,
    windowMs: parsed.windowMs ?? 60_000,
    stableMs: parsed.stableMs ?? 30_000,
  });
}

function backoffConfig(value: unknown, path: string): BackoffConfig {
  if (typeof value === "function") return Object.freeze({ kind: "custom", delayMs: callable(value) });
  if (value === "exponential" || value === "linear") return backoffConfig({ kind: value }, path);
  const { kind, initialMs, factor, incrementMs, maxMs } = object(value, path, backoffShape);
  if (kind === "linear") {
    if (factor !== undefined) throw invalid(`${path}.factor`, "an option", "a linear backoff has no factor");
    return Object.freeze({
      kind,
      initialMs: initialMs ?? 1_000,
      incrementMs: incrementMs ?? 1_000,
      maxMs: maxMs ?? 30_000,
    });
  }
  if (incrementMs !== undefined) {
    const state = `${quote("exponential")} grows by a factor`;
    throw invalid(`${path}.incrementMs`, "an option", state, 'Write kind: "linear"');
  }
  return Object.freeze({
    kind: "exponential",
    initialMs: initialMs ?? 100,
    factor: factor ?? 2,
    maxMs: maxMs ?? 30_000,
  });
}

function callable(value: object): (attempt: number) => number {
  return (attempt) => Number(Reflect.apply(value as () => unknown, undefined, [attempt]));
}
