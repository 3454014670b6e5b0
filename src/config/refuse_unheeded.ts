/**
 * Refuses options of supervision where nothing would heed them.
 *
 * @module
 */

import { invalid } from "./parse.ts";
import type { SupervisionConfig } from "./types.ts";

/**
 * Refuses what would be accepted in silence otherwise.
 *
 * @param config Parsed options.
 * @param names Options that nothing heeds there.
 * @param what What they were written for, such as `"a pool"`.
 * @throws {ConfigError} If one of them is switched on.
 *
 * @example
 * ```ts
 * import { throws } from "node:assert/strict";
 * import { refuseUnheeded, restartConfig, watchConfig } from "./mod.ts";
 *
 * const off = { restart: restartConfig(false, "restart"), watch: watchConfig(false, "watch") };
 * refuseUnheeded(off, ["watch"], "a pool");
 * const on = { ...off, watch: watchConfig(true, "watch") };
 * throws(() => refuseUnheeded(on, ["watch"], "a pool"), { name: "ConfigError" });
 * ```
 */
export function refuseUnheeded(
  config: Pick<SupervisionConfig, "restart" | "watch">,
  names: readonly ("restart" | "watch")[],
  what: string,
): void {
  for (const name of names) {
    if (!config[name].isEnabled) continue;
    throw invalid(name, `an option of ${what}`, "nothing would heed it", "It is for `host.load()`");
  }
}
