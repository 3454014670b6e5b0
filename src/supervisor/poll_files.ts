/**
 * Watches files by looking at them, for where the kernel cannot tell.
 *
 * @module
 */

import type { FileChange } from "../config/types.ts";
import type { Clock } from "../util/clock.ts";

/** Time between two looks in milliseconds. */
const intervalMs = 1_000;

/**
 * Compares files with what they were at intervals.
 *
 * @param files Absolute paths.
 * @param onChange Told about each that changed. Must not throw.
 * @param clock For the intervals.
 * @returns Disposing it ends the looks.
 */
export function pollFiles(
  files: readonly string[],
  onChange: (change: FileChange) => void,
  clock: Clock,
): Disposable {
  let known: ReadonlyMap<string, string | null> | null = null;
  let isDisposed = false;
  const look = async (): Promise<void> => {
    const seen = new Map(await Promise.all(files.map(async (file) => [file, await stamp(file)] as const)));
    if (isDisposed) return;
    const before = known;
    known = seen;
    for (const [path, now] of before === null ? [] : seen) {
      const then = before?.get(path) ?? null;
      if (then !== now) onChange({ path, kind: changeOf(then, now), at: clock.now() });
    }
    cancel = clock.after(intervalMs, look);
  };
  let cancel: () => void = () => {};
  void look();
  return {
    [Symbol.dispose]: () => {
      isDisposed = true;
      cancel();
    },
  };
}

function changeOf(before: string | null, now: string | null): FileChange["kind"] {
  return before === null ? "create" : now === null ? "remove" : "modify";
}

/** What tells one version of a file from another; `null` when it cannot be seen. */
async function stamp(path: string): Promise<string | null> {
  const info = await Deno.stat(path).catch(() => null);
  return info === null ? null : `${info.mtime?.getTime()} ${info.size} ${info.ino}`;
}
