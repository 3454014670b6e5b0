/**
 * A pool whose workers are processes of one plugin.
 *
 * @module
 */

import type { PoolConfig } from "../config/types.ts";
import type { ExitReason } from "../errors.ts";
import type { Remote } from "../proxy/mod.ts";
import { PinnedCode } from "./pinned_code.ts";
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
  const idempotent = new Set(request.config.idempotent);
  return new Pool<Remote<T>>({
    name: request.config.name,
    config,
    hasIdempotent: idempotent.size > 0,
    starter: () => {
      const code = new PinnedCode();
      return async (signal) => {
        const plugin = await SandboxedPlugin.load<T>({ ...request, code, signal }, () => {});
        return poolWorker(plugin, idempotent, { native, files });
      };
    },
  });
}

function poolWorker<T extends object>(
  plugin: SandboxedPlugin<T>,
  idempotent: ReadonlySet<string>,
  view: ProcessView,
): PoolWorker<Remote<T>> {
  return {
    api: plugin.api,
    apiFor: (onCall) => plugin.noting((method) => onCall(idempotent.has(method))),
    died: plugin.died,
    get isGone() {
      return plugin.isGone;
    },
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
