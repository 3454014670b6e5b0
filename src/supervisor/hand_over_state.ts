/**
 * Carries a plugin's state from its old process to its new one.
 *
 * @module
 */

import { PLUGIN_TARGET } from "../proxy/mod.ts";
import type { GenerationProcess } from "./plugin_process.ts";

/**
 * Calls `saveState()` of the old process and gives its result to `restoreState()` of the new one, where both export it.
 *
 * @param old The process that answers calls until now; `null` when there is none.
 * @param next The process that takes over.
 * @throws What either of them throws; then the old process goes on.
 */
export async function handOverState(old: GenerationProcess | null, next: GenerationProcess): Promise<void> {
  if (old === null || !exportsFunction(old, "saveState") || !exportsFunction(next, "restoreState")) return;
  const state = await old.session.call(PLUGIN_TARGET, "saveState", []);
  await next.session.call(PLUGIN_TARGET, "restoreState", [state]);
}

function exportsFunction(process: GenerationProcess, name: string): boolean {
  return process.generation.exports.some((one) => one.name === name && one.kind === "function");
}
