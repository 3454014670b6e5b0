/**
 * Finds the word that somebody probably meant.
 *
 * @module
 */

/**
 * The candidate closest to `word`, for "did you mean" hints.
 *
 * Upper and lower case, `-` and `_` make no difference; otherwise at most a third of the word may differ.
 *
 * @param word What was written.
 * @param candidates What would have been valid.
 * @returns The closest candidate, or `null` when none is close.
 *
 * @example
 * ```ts
 * import { nearest } from "./nearest.ts";
 *
 * nearest("memry", ["memory", "processes"]); // "memory"
 * ```
 */
export function nearest(word: string, candidates: Iterable<string>): string | null {
  const wanted = fold(word);
  let best: string | null = null;
  let bestDistance = Math.max(1, Math.floor(wanted.length / 3)) + 1;
  for (const candidate of candidates) {
    const distance = editDistance(wanted, fold(candidate), bestDistance);
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

function fold(word: string): string {
  return word.slice(0, 64).toLowerCase().replaceAll(/[-_\s]/g, "");
}

/** Optimal string alignment distance (a swap of neighbours counts one), or `limit` when it is at least that. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const same = a[row - 1] === b[column - 1];
      let cost = Math.min(
        (last[column] ?? limit) + 1,
        (current[column - 1] ?? limit) + 1,
        (last[column - 1] ?? limit) + (same ? 0 : 1),
      );
      const isSwap = row > 1 && column > 1 && a[row - 1] === b[column - 2] && a[row - 2] === b[column - 1];
      if (isSwap) cost = Math.min(cost, (beforeLast[column - 2] ?? limit) + 1);
      current.push(cost);
    }
    [beforeLast, last] = [last, current];
  }
  return Math.min(limit, last[b.length] ?? limit);
}
