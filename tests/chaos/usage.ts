/**
 * What this process holds.
 *
 * @module
 */

/** Numbers that stay flat in a host that leaks nothing. */
export interface Usage {
  readonly rssMiB: number;
  readonly heapMiB: number;
  readonly descriptors: number;
}

/** Reads them, after a collection where the runtime was started with `--v8-flags=--expose-gc`. */
export function usage(): Usage {
  (globalThis as { gc?: () => void }).gc?.();
  const { rss, heapUsed } = Deno.memoryUsage();
  return {
    rssMiB: Math.round(rss / 2 ** 20),
    heapMiB: Math.round(heapUsed / 2 ** 20),
    descriptors: [...Deno.readDirSync("/proc/self/fd")].length,
  };
}
