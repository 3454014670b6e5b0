/**
 * Finds the deno.json(c) or package.json that governs a directory.
 *
 * @module
 */

import { dirname, join } from "node:path";

/** What a search upwards came to. */
export interface FoundConfig {
  /** Absolute path of the nearest file, if there is one. */
  readonly path: string | undefined;
  /** Files that would have been nearer and do not exist: a cached result is stale once one of them does. */
  readonly absent: readonly string[];
}

/**
 * Looks for a configuration file in a directory and then in its parents.
 *
 * @param directory Absolute path to start in.
 * @param names File names, the preferred one first.
 * @returns The nearest file and the paths that were tried in vain.
 */
export async function findConfig(
  directory: string,
  names: readonly string[] = ["deno.json", "deno.jsonc"],
): Promise<FoundConfig> {
  const absent: string[] = [];
  for (let current = directory;; current = dirname(current)) {
    for (const name of names) {
      const path = join(current, name);
      if (await isFile(path)) return { path, absent };
      absent.push(path);
    }
    if (current === dirname(current)) return { path: undefined, absent };
  }
}

/**
 * Tells whether a path leads to a regular file.
 *
 * @param path Absolute path; symbolic links are followed.
 * @returns Whether it does. A directory in the path that cannot be searched counts as no.
 */
export async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return false;
    if (error instanceof Deno.errors.PermissionDenied) return false;
    throw error;
  }
}
