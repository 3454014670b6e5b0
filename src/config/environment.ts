/**
 * What parsing options reads of the process around it.
 *
 * @module
 */

/** The process around the host, as far as defaults depend on it. */
export interface ConfigEnvironment {
  /** Absolute directory that relative paths start from. */
  cwd(): string;
  /** Value of an environment variable. */
  env(name: string): string | undefined;
  /** Effective uid of the host. */
  uid(): number;
  /** Uid of the owner of a path, or `null` when there is no such path. */
  ownerOf(path: string): number | null;
}

/**
 * The real process.
 *
 * @returns An environment that asks Deno each time.
 */
export function processEnvironment(): ConfigEnvironment {
  return {
    cwd: () => Deno.cwd(),
    env: (name) => Deno.env.get(name),
    uid: () => Deno.uid() ?? 0,
    ownerOf,
  };
}

function ownerOf(path: string): number | null {
  try {
    return Deno.statSync(path).uid;
  } catch (error) {
    // Somebody else's directory that cannot even be looked at is as good as none.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
