/**
 * A pool whose workers are processes of one plugin.
 *
 * @module
 */

import type { PoolConfig } from "../config/types.ts";
import type { ExitReason } from "../errors.ts";
import type { Remote } from "../proxy/mod.ts";
import { SandboxedPlugin } from "./plugin.ts";
import type { PluginRequest } from "./plugin.ts";
import { Pool } from "./pool.ts";
import type { PoolWorker, TaskPool } from "./pool_types.ts";
import { processSizes, type ProcessView } from "./process_status.ts";

/** Tasks run on the exports of a plugin, each in one of several processes of it. Disposing ends them all. */
export type PluginPool<T extends object> = TaskPool<Remote<T>>;

/**
 * Starts a pool.
 *
 * @param request The plugin; the pool itself restarts what crashes.
 * @param config The pool.
 * @returns The pool, its workers starting. The caller closes it.
 */
export function pluginPool<T extends object>(request: PluginRequest, config: PoolConfig): PluginPool<T> {
  const { native, directory: { files } } = request.context;
  return new Pool<Remote<T>>({
    name: request.config.name,
    config,
    start: async (signal) =>
      poolWorker(await SandboxedPlugin.load<T>({ ...request, signal }, () => {}), { native, files }),
  });
}

function poolWorker<T extends object>(
  plugin: SandboxedPlugin<T>,
  view: ProcessView,
): PoolWorker<Remote<T>> {
  return {
    api: plugin.api,
    died: plugin.died,
    memoryBytes: () => residentBytes(plugin, view),
    stop: () => plugin.stop(),
    kill: () => plugin.kill("wall-timeout" satisfies ExitReason),
  };
}

/** Anonymous and shared memory of the plugin's process. */
async function residentBytes(plugin: SandboxedPlugin<object>, view: ProcessView): Promise<number | null> {
  const pid = await plugin.guestPid();
  if (pid === null) return null;
  const { RssAnon = 0, RssShmem = 0 } = processSizes(view, pid, ["RssAnon", "RssShmem"]);
  return RssAnon + RssShmem;
}
