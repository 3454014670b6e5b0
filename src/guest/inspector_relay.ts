/**
 * Connects the runtime's end for debuggers with the host's, while that is still allowed.
 *
 * @module
 */

import type { BootRecord } from "../util/boot_record.ts";

/**
 * Start the thread that hands messages on. It keeps no script alive.
 *
 * @param boot The boot record.
 * @throws {Error} If it cannot connect both ends.
 */
export async function startInspectorRelay({ inspector }: BootRecord): Promise<void> {
  if (inspector === undefined) return;
  const { Worker } = await import("node:worker_threads");
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(inspector.script)}`));
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  worker.once("message", resolve);
  worker.once("error", reject);
  await promise;
  worker.unref();
}
