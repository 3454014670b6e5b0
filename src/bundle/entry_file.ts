/**
 * The entry module of a plugin, as a file of this machine.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import { BundleError } from "../errors.ts";

/**
 * Where a plugin's entry module lies.
 *
 * @param entry A `file:` URL.
 * @returns Its path.
 * @throws {BundleError} If there is nothing, no file, or a directory that cannot be searched.
 */
export async function entryFile(entry: string): Promise<string> {
  const path = fileURLToPath(entry);
  const info = await infoOf(path);
  if (info?.isFile === true) return path;
  if (info?.isDirectory === true) {
    throw new BundleError(`Cannot load the plugin "${path}" as it is a directory`, {
      hint: "Name the module in it that is the plugin",
    });
  }
  if (info !== null) throw new BundleError(`Cannot load the plugin "${path}" as it is not a file`);
  throw new BundleError(`Cannot load the plugin "${path}" as there is no such file`, {
    hint: "Relative paths start at the working directory of the host",
  });
}

async function infoOf(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return null;
    if (error instanceof Deno.errors.PermissionDenied) {
      throw new BundleError(`Cannot load the plugin "${path}" as this account may not look there`, {
        cause: error,
      });
    }
    throw error;
  }
}
