/**
 * What bubblewrap gives, and nothing else does.
 *
 * @module
 */

import type { Tier } from "./types.ts";

/**
 * Whether sandboxes of a tier have a file system, a network and processes of their own.
 *
 * @param tier The tier.
 * @returns True for the tiers that bubblewrap makes.
 *
 * @example
 * ```ts
 * import { hasMounts } from "./has_mounts.ts";
 *
 * hasMounts("landlock"); // false
 * ```
 */
export function hasMounts(tier: Tier): boolean {
  return tier === "full" || tier === "namespaces";
}
