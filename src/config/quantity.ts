/**
 * Parsers of amounts: counts, sizes and durations, each within its bounds.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { sizeBytes, sizeText } from "../util/size.ts";
import { invalid, type Parser } from "./parse.ts";

/** Timers take at most this many milliseconds; a longer one would fire at once. */
const maxDurationMs = 2 ** 31 - 1;

/** Smallest and largest amount that is accepted. */
export interface Bounds {
  readonly min?: number;
  readonly max?: number;
}

/**
 * A parser of whole numbers.
 *
 * @param what What is counted, for messages, such as `"a number of processes"`.
 * @param bounds Smallest and largest. @default 0 and 2⁵³ − 1
 */
export function count(what: string, bounds: Bounds = {}): Parser<number> {
  return (value, path) => {
    if (!Number.isSafeInteger(value)) throw invalid(path, what, `it is ${quote(value)}`);
    return within(value as number, path, what, bounds, String);
  };
}

/**
 * A parser of numbers that need not be whole.
 *
 * @param what What is measured, for messages.
 * @param bounds Smallest and largest.
 */
export function amount(what: string, bounds: Bounds = {}): Parser<number> {
  return (value, path) => {
    if (typeof value !== "number" || !Number.isFinite(value)) {
      throw invalid(path, what, `it is ${quote(value)}`);
    }
    return within(value, path, what, bounds, String);
  };
}

/**
 * A parser of milliseconds.
 *
 * @param bounds Smallest and largest. @default 0 and 2³¹ − 1
 */
export function duration(bounds: Bounds = {}): Parser<number> {
  const parse = amount("a number of milliseconds", { max: maxDurationMs, ...bounds });
  return (value, path) => {
    if (typeof value !== "string") return parse(value, path);
    throw invalid(
      path,
      "a number of milliseconds",
      `it is ${quote(value)}`,
      "Write a number, such as 2_000 for 2 seconds",
    );
  };
}

/**
 * A parser of sizes into bytes.
 *
 * @param bounds Smallest and largest, in bytes.
 */
export function size(bounds: Bounds = {}): Parser<number> {
  return (value, path) => {
    const bytes = sizeBytes(value);
    if (bytes !== null) return within(bytes, path, "a size", bounds, sizeText);
    throw invalid(path, "a size", `it is ${quote(value)}`, 'Write bytes, or text such as "256MiB"');
  };
}

function within(
  value: number,
  path: string,
  what: string,
  bounds: Bounds,
  show: (n: number) => string,
): number {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = bounds;
  if (value < min) throw invalid(path, what, `${show(value)} is less than ${show(min)}`);
  if (value > max) throw invalid(path, what, `${show(value)} is more than ${show(max)}`);
  return value;
}
