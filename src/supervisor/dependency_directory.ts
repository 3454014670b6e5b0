/**
 * Where the dependencies of unbundled plugins are kept.
 *
 * @module
 */

import { join } from "node:path";
import { accessObstacle } from "../policy/account_access.ts";
import type { HostContext } from "./host_context.ts";

/** Root's sandboxes run under another account, which cannot reach root's home. */
const SYSTEM_CACHE = "/var/cache/cordon";

/**
 * Name the directory.
 *
 * @param context The host's cache directory and account.
 * @returns Absolute path that sandboxes can reach; it need not exist.
 */
export async function dependencyDirectory(
  { config, platform }: Pick<HostContext, "config" | "platform">,
): Promise<string> {
  const own = join(config.cacheDirectory, "unbundled");
  if (platform.facts.uid !== 0) return own;
  await Deno.mkdir(config.cacheDirectory, { recursive: true, mode: 0o700 });
  await Deno.mkdir(own, { recursive: true, mode: 0o711 });
  const isReachable = await accessObstacle(own, config.runAs, "reach") === null;
  return isReachable ? own : join(SYSTEM_CACHE, "unbundled");
}
