/**
 * A pool whose workers are processes of one plugin.
 *
 * @module
 */

import type { PoolConfig } from "../config/types.ts";
import type { ExitReason } from "../errors.ts";
import type { Native } from "../native/mod.ts";
import type { Remote } from "../proxy/mod.ts";
import { SandboxedPlugin } from "./plugin.ts";
import type { PluginRequest } from "./plugin.ts";
import { Pool } from "./pool.ts";
import type { PoolWorker, TaskPool } from "./pool_types.ts";

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
  const native = request.context.native;
  return new Pool<Remote<T>>({
    name: request.config.name,
    config,
    start: async (signal) =>
      poolWorker(await SandboxedPlugin.load<T>({ ...request, signal }, () => {}), native),
  });
}

function poolWorker<T extends object>(
  plugin: SandboxedPlugin<T>,
  native: Native | null,
): PoolWorker<Remote<T>> {
  return {
    api: plugin.api,
    died: plugin.died,
    memoryBytes: () => residentBytes(plugin, native),
    stop: () => plugin.stop(),
    kill: () => plugin.kill("wall-timeout" satisfies ExitReason),
  };
}

/** Anonymous and shared memory of the plugin's process: proc_pid_status(5). */
async function residentBytes(plugin: SandboxedPlugin<object>, native: Native | null): Promise<number | null> {
  const pid = await plugin.guestPid();
  if (pid === null || native === null) return null;
  const status = new TextDecoder().decode(native.readFile(`/proc/${pid}/status`));
  const kibibytes = (field: string) =>
    Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, "m").exec(status)?.[1] ?? 0);
  return (kibibytes("RssAnon") + kibibytes("RssShmem")) * 1024;
}
