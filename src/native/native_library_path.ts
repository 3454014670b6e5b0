/**
 * Writes the embedded native library to a file, so that it can be loaded.
 *
 * @module
 */

import { NativeError } from "../errors.ts";
import { embeddedLibrary } from "./embedded_library.ts";

const GROUP_OR_OTHERS_MAY_WRITE = 0o022;

/**
 * The path of the native library in a cache. The file is named after its content and compared with it every time;
 * one that differs is replaced. Several processes may do this at once: the file appears whole, by renaming.
 *
 * @param cacheDirectory Absolute path of a directory of this user; it is made if it does not exist.
 * @returns Absolute path, or null when the package has no library for this system and processor.
 * @throws {NativeError} If another user could change the file: the directory is not this user's, or others may write it.
 *
 * @example
 * ```ts
 * import { nativeLibraryPath } from "./mod.ts";
 *
 * const path = await nativeLibraryPath(`${Deno.env.get("HOME")}/.cache/cordon`);
 * console.assert(path === null || path.endsWith(".so"));
 * ```
 */
export async function nativeLibraryPath(cacheDirectory: string): Promise<string | null> {
  const library = await embeddedLibrary();
  if (library === null) return null;
  const directory = `${cacheDirectory}/native`;
  await Deno.mkdir(directory, { recursive: true, mode: 0o755 });
  await requireOwnDirectory(directory);
  const bytes = Uint8Array.fromBase64(library.base64);
  const path = `${directory}/libcordon-${library.sha256.slice(0, 16)}.so`;
  if (!await holds(path, bytes)) await replace(path, bytes);
  return path;
}

async function requireOwnDirectory(directory: string): Promise<void> {
  const facts = await Deno.lstat(directory);
  const mode = facts.mode ?? 0;
  if (facts.isDirectory && facts.uid === Deno.uid() && (mode & GROUP_OR_OTHERS_MAY_WRITE) === 0) return;
  const state = `uid ${facts.uid}, mode ${(mode & 0o7777).toString(8)}${
    facts.isSymlink ? ", a symbolic link" : ""
  }`;
  throw new NativeError(`Cannot keep code in "${directory}" as only this user may write there: ${state}`, {
    call: "nativeLibraryPath",
    errno: "EPERM",
    hint: "Use a cache directory of your own, not writable for group or others",
  });
}

/** The file is a plain file of this user that nobody else may write, with exactly this content. */
async function holds(path: string, bytes: Uint8Array): Promise<boolean> {
  const facts = await lstatIfThere(path);
  if (facts === null || !facts.isFile || facts.size !== bytes.length || facts.uid !== Deno.uid()) {
    return false;
  }
  if (((facts.mode ?? 0) & GROUP_OR_OTHERS_MAY_WRITE) !== 0) return false;
  const content = await Deno.readFile(path);
  return content.length === bytes.length && content.every((byte, index) => byte === bytes[index]);
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | null> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}

async function replace(path: string, bytes: Uint8Array): Promise<void> {
  const temporary = `${path}.${crypto.randomUUID()}`;
  try {
    await Deno.writeFile(temporary, bytes, { createNew: true, mode: 0o555 });
    await Deno.rename(temporary, path);
  } catch (error) {
    await Deno.remove(temporary).catch((cause) => {
      if (!(cause instanceof Deno.errors.NotFound)) throw cause;
    });
    throw error;
  }
}
