/**
 * Whether an account can reach a path, judged from owners and mode bits without becoming that account.
 *
 * @module
 */

import type { Account } from "./types.ts";
import { dirname } from "node:path";

/** What is to be done with a path. Directories need to be listed and entered for both. */
export type Access = "read" | "write" | "execute" | "reach";

/** The first thing on the way that keeps an account out. */
export interface Obstacle {
  /** The directory or file on the way. */
  readonly path: string;
  /** Mode bits that are missing, as `ls` would show them. */
  readonly missing: string;
}

const NEEDED = { read: 0o4, write: 0o6, execute: 0o5, reach: 0o0 } as const;

/**
 * Find what keeps an account from a path.
 *
 * @param path Absolute real path.
 * @param account The account; its only group is `gid`.
 * @param access What is to be done. `"reach"` asks for the way there only.
 * @returns The outermost obstacle, or null. Access control lists are not considered.
 * @throws {Deno.errors.NotFound} If the path does not exist.
 */
export async function accessObstacle(
  path: string,
  account: Account,
  access: Access,
): Promise<Obstacle | null> {
  for (const directory of ancestors(path)) {
    const missing = missingBits(await Deno.stat(directory), account, 0o1);
    if (missing !== 0) return { path: directory, missing: letters(missing) };
  }
  const info = await Deno.stat(path);
  const needed = NEEDED[access] | (info.isDirectory && access !== "reach" ? 0o1 : 0);
  const missing = missingBits(info, account, needed);
  return missing === 0 ? null : { path, missing: letters(missing) };
}

function ancestors(path: string): string[] {
  const parent = dirname(path);
  return parent === path ? [] : [...ancestors(parent), parent];
}

function missingBits(info: Deno.FileInfo, account: Account, needed: number): number {
  if (account.uid === 0) return 0;
  return needed & ~grantedBits(info, account);
}

function grantedBits({ mode, uid, gid }: Deno.FileInfo, account: Account): number {
  const bits = mode ?? 0;
  if (uid === account.uid) return (bits >> 6) & 0o7;
  return gid === account.gid ? (bits >> 3) & 0o7 : bits & 0o7;
}

function letters(bits: number): string {
  return `${bits & 0o4 ? "r" : ""}${bits & 0o2 ? "w" : ""}${bits & 0o1 ? "x" : ""}`;
}
