/**
 * Keeps a directory of bundles from growing for ever.
 *
 * @module
 */

import { join } from "node:path";

/** What a directory of bundles may hold. */
export interface BundleBounds {
  /** How many bundles. @default 1,000 */
  readonly files: number;
  /** Their sizes together, in bytes. @default 512 MiB */
  readonly bytes: number;
}

const BOUNDS: BundleBounds = { files: 1_000, bytes: 512 * 2 ** 20 };
/** How often it is looked whether there are too many. */
const PERIOD_MS = 10 * 60_000;
/** A use is noted once in this time. */
const USE_MS = 24 * 60 * 60_000;
/** A draft that is not finished by then never will be. */
const DRAFT_MS = 60 * 60_000;

/**
 * Note that a bundle is used, so that it outlives those that are not.
 *
 * @param path The bundle. It need not exist any more.
 */
export function noteUse(path: string): void {
  const used = lastUse(path);
  if (used !== null && Date.now() - used > USE_MS) {
    unlessGone(() => Deno.utimeSync(path, new Date(), new Date()));
  }
}

/**
 * Remove the bundles that were used least lately where there are too many, and what killed hosts left half written. Looks at most
 * once in ten minutes. A plugin that is loaded again is only bundled again.
 *
 * @param cacheDirectory Absolute path; its directory `bundles` exists.
 * @param bounds What may stay.
 */
export function pruneBundles(cacheDirectory: string, bounds: BundleBounds = BOUNDS): void {
  const stamp = join(cacheDirectory, "pruned");
  if (Date.now() - (lastUse(stamp) ?? 0) < PERIOD_MS) return;
  Deno.writeTextFileSync(stamp, "", { mode: 0o600 });
  const directory = join(cacheDirectory, "bundles");
  const bundles: { readonly path: string; readonly used: number; readonly bytes: number }[] = [];
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (!isFile) continue;
    const path = join(directory, name);
    unlessGone(() => {
      const { mtime, size } = Deno.lstatSync(path);
      const used = mtime?.getTime() ?? 0;
      if (name.endsWith(".bundle")) bundles.push({ path, used, bytes: size });
      else if (name.startsWith("draft-") && Date.now() - used > DRAFT_MS) Deno.removeSync(path);
    });
  }
  let bytes = 0;
  const tooMany = bundles.sort((a, b) => b.used - a.used).filter((bundle, index) => {
    bytes += bundle.bytes;
    return index >= bounds.files || bytes > bounds.bytes;
  });
  for (const { path } of tooMany) unlessGone(() => Deno.removeSync(path));
}

function lastUse(path: string): number | null {
  return unlessGone(() => Deno.lstatSync(path).mtime?.getTime() ?? null);
}

/** Other hosts may remove the same. */
function unlessGone<T>(act: () => T): T | null {
  try {
    return act();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
