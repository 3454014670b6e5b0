/**
 * Directories of the cache that nobody else can write: what lies there is run as a plugin's code.
 *
 * @module
 */

import { BundleError } from "../errors.ts";

const GROUP_OR_OTHERS_MAY_WRITE = 0o022;

/**
 * Makes a directory, or checks the one that is there.
 *
 * @param path Absolute path; parents are made too.
 * @param mode Mode of those that are made. @default 0o700
 * @throws {BundleError} If it is not a directory of this user that only this user can write.
 */
export function makeOwnDirectory(path: string, mode = 0o700): void {
  Deno.mkdirSync(path, { recursive: true, mode });
  const { isDirectory, uid, mode: actual } = Deno.lstatSync(path);
  if (isDirectory && uid === Deno.uid() && ((actual ?? 0) & GROUP_OR_OTHERS_MAY_WRITE) === 0) return;
  const state = `uid ${uid}, mode ${((actual ?? 0) & 0o7777).toString(8)}${
    isDirectory ? "" : ", not a directory"
  }`;
  throw new BundleError(`Cannot keep bundles in "${path}" as only this user may write there: ${state}`, {
    hint: "Use a cache directory of your own, not writable for group or others",
  });
}
