/**
 * Reads small kernel files that may be missing or closed to this process.
 *
 * @module
 */

/**
 * Read a text file that describes the machine.
 *
 * @param path Absolute path, such as `"/proc/version"`.
 * @returns Its text without surrounding white space, or null where the file is missing or must not be read.
 */
export async function readFact(path: string): Promise<string | null> {
  try {
    return (await Deno.readTextFile(path)).trim();
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/**
 * Read a text file that holds one integer, such as a sysctl.
 *
 * @param path Absolute path.
 * @returns The integer, or null where there is none.
 */
export async function readIntegerFact(path: string): Promise<number | null> {
  const text = await readFact(path);
  return text !== null && /^-?\d+$/.test(text) ? Number(text) : null;
}

/**
 * Whether Deno keeps /proc and /sys from this process, whatever the machine would say: it opens them only to programs
 * that were started with --allow-all.
 *
 * @returns The claim, found out by trying.
 */
export async function isProcHidden(): Promise<boolean> {
  try {
    await Deno.lstat("/proc/self/stat");
    return false;
  } catch (error) {
    if (isAbsent(error)) return error instanceof Deno.errors.NotCapable;
    throw error;
  }
}

/**
 * Tell "the machine has no such thing" from a failure of the probe itself.
 *
 * @param error What a file operation threw.
 * @returns Whether the file is missing or closed to this process.
 */
export function isAbsent(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied ||
    error instanceof Deno.errors.NotCapable || error instanceof Deno.errors.NotADirectory;
}
