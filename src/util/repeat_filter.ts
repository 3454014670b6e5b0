/**
 * Keeps a log that a plugin can write to from being flooded: of equal entries it lets the 1st, 10th, 100th, … through.
 *
 * @module
 */

/** Counts equal entries. */
export interface RepeatFilter {
  /**
   * Count one entry.
   *
   * @param key What makes two entries equal.
   * @returns How often it was seen, if that is worth an entry now; else null.
   */
  count(key: string): number | null;
}

/**
 * Make a filter.
 *
 * @param maxKeys Entries to tell apart; all that come after share one count.
 * @returns The filter.
 *
 * @example
 * ```ts
 * import { repeatFilter } from "./repeat_filter.ts";
 *
 * const filter = repeatFilter(100);
 * filter.count("a"); // 1
 * filter.count("a"); // null
 * ```
 */
export function repeatFilter(maxKeys: number): RepeatFilter {
  const counts = new Map<string, number>();
  let others = 0;
  return {
    count: (key) => {
      const known = counts.get(key);
      const count = known === undefined && counts.size >= maxKeys ? ++others : (known ?? 0) + 1;
      if (known !== undefined || counts.size < maxKeys) counts.set(key, count);
      return isPowerOfTen(count) ? count : null;
    },
  };
}

function isPowerOfTen(count: number): boolean {
  return /^10*$/.test(String(count));
}
