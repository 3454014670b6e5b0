/**
 * From unknown input to frozen configuration.
 *
 * @module
 */

export { callOptions } from "./call_options.ts";
export { grantedConfig } from "./granted.ts";
export { hostConfig } from "./host_config.ts";
export { loadConfig } from "./load_config.ts";
export { pluginManifest } from "./manifest.ts";
export type { ManifestDefaults, ManifestDependency, PluginManifest } from "./manifest.ts";
export { poolConfig, poolKeys, poolSizes } from "./pool.ts";
export { refuseUnheeded } from "./refuse_unheeded.ts";
export { runConfig, runKeys } from "./run_config.ts";
export { restartConfig } from "./restart.ts";
export { closeOptions, mapOptions, taskOptions } from "./task_options.ts";
export { watchConfig } from "./watch.ts";
export { profiles } from "./capabilities.ts";
export type { Capability, Profile, ProfileName } from "./capabilities.ts";
export type * from "./types.ts";
