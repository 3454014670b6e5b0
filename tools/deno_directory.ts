/**
 * Makes sure that Deno has somewhere to keep downloaded packages, also for an account without a home.
 *
 * @module
 */

/** Variables that decide where Deno's cache is. */
export interface CacheVariables {
  readonly DENO_DIR?: string | undefined;
  readonly XDG_CACHE_HOME?: string | undefined;
  readonly HOME?: string | undefined;
}

/**
 * Name the directory in which Deno keeps its cache on Linux.
 *
 * @param variables The environment.
 * @returns Its path, or null where nothing names one.
 */
export function defaultDenoDirectory(variables: CacheVariables): string | null {
  const { DENO_DIR, XDG_CACHE_HOME, HOME } = variables;
  if (DENO_DIR) return DENO_DIR;
  if (XDG_CACHE_HOME) return `${XDG_CACHE_HOME}/deno`;
  return HOME ? `${HOME}/.cache/deno` : null;
}

/**
 * Variables that a child Deno needs in order to find a cache that it can write.
 *
 * @param variables The environment, the real one by default.
 * @returns Nothing where the default directory is writable, otherwise `DENO_DIR` of a private directory in `/tmp`.
 * @throws {Error} If that private directory belongs to somebody else.
 */
export async function denoDirectoryVariables(
  variables: CacheVariables = Deno.env.toObject(),
): Promise<Readonly<Record<string, string>>> {
  if (Deno.build.os !== "linux") return {};
  const directory = defaultDenoDirectory(variables);
  if (directory !== null && await isWritable(directory)) return {};
  const own = `/tmp/cordon-${Deno.uid()}-deno`;
  await Deno.mkdir(own, { recursive: true, mode: 0o700 });
  const info = await Deno.lstat(own);
  if (!info.isDirectory || info.uid !== Deno.uid() || ((info.mode ?? 0) & 0o022) !== 0) {
    throw new Error(`Cannot use ${own} as a cache as it is not a private directory of this account`);
  }
  return { DENO_DIR: own };
}

async function isWritable(directory: string): Promise<boolean> {
  try {
    await Deno.mkdir(directory, { recursive: true });
    const probe = await Deno.makeTempFile({ dir: directory });
    await Deno.remove(probe);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Error && /read-only file system/i.test(error.message)) return false;
    throw error;
  }
}
