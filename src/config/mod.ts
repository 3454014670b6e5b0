/**
 * From unknown input to frozen configuration.
 *
 * @module
 */

export { hostConfig } from "./host_config.ts";
export { loadConfig } from "./load_config.ts";
export { poolConfig, poolKeys } from "./pool.ts";
export { restartConfig } from "./restart.ts";
export { watchConfig } from "./watch.ts";
export type * from "./types.ts";
