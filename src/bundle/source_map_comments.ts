/**
 * Comments that name a source map, which esbuild would follow anywhere: to a device that never ends, for instance.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { BundleError } from "../errors.ts";
import { isFile } from "./find_config.ts";
import { readablePath, type ReadableRoots } from "./readable.ts";

const COMMENT = /([#@]\s*sourceMappingURL=)([^\s*'"]+)/g;

/**
 * Makes comments ineffective whose map may not be read. The length of the text stays the same.
 *
 * @param source Text of a module.
 * @param path Absolute path of its file.
 * @param roots What may be read.
 * @returns The new text. Maps within the text itself stay.
 */
export async function withReadableMaps(source: string, path: string, roots: ReadableRoots): Promise<string> {
  let result = source;
  for (const [comment, key = "", target = ""] of source.matchAll(COMMENT)) {
    if (target.startsWith("data:") || await mayBeRead(resolve(dirname(path), target), roots)) continue;
    result = result.replaceAll(comment, `${key.replace("URL=", "---=")}${target}`);
  }
  return result;
}

async function mayBeRead(path: string, roots: ReadableRoots): Promise<boolean> {
  if (!await isFile(path)) return false;
  try {
    await readablePath(path, roots, true);
    return true;
  } catch (error) {
    if (error instanceof BundleError) return false;
    throw error;
  }
}
