/** Under which account tests start what they compiled. */

/** An account to start a program under, or nothing for that of the tests. */
export interface Account {
  readonly uid?: number;
  readonly gid?: number;
  /** Where to start it: another account may not look into the directory of the tests. */
  readonly cwd?: string;
}

/**
 * An ordinary account: files of root, and its right to everything, would hide what is tested.
 *
 * @returns Nothing where the tests run under an ordinary account themselves.
 */
export function unprivileged(): Account {
  return Deno.uid() === 0 ? { uid: 65534, gid: 65534, cwd: "/" } : {};
}
