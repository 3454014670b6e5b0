/**
 * Says what would confine a plugin, without starting or bundling it.
 *
 * @module
 */

import { hostConfig, loadConfig } from "../config/mod.ts";
import type { HostOptions, LoadOptions } from "../config/types.ts";
import { bwrapArguments } from "../launcher/bwrap_arguments.ts";
import { denoFlags } from "../launcher/deno_flags.ts";
import { sandboxPaths } from "../launcher/sandbox_paths.ts";
import { describeFilter } from "../launcher/seccomp/mod.ts";
import type { HostFiles } from "../launcher/types.ts";
import { embeddedLibrary } from "../native/embedded_library.ts";
import { probePlatform } from "../platform/mod.ts";
import { hasMounts } from "../policy/has_mounts.ts";
import { policyWithDependencies } from "../policy/policy_with_dependencies.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { findManifest } from "./find_manifest.ts";
import { grantedPolicy } from "./plugin_policy.ts";
import { pluginRuntime } from "./plugin_runtime.ts";

/** One policy, and what each layer makes of it. */
export interface Explanation {
  readonly policy: SandboxPolicy;
  /** Flags of `deno run` inside. */
  readonly denoFlags: readonly string[];
  /** Options that bubblewrap would get on its descriptor; null in tiers without it. */
  readonly bwrapOptions: readonly string[] | null;
  /** System calls that plugin code may not make, whatever their arguments; null without a filter. */
  readonly refusedCalls: readonly string[] | null;
}

/**
 * Compile a policy for a plugin and show every layer of it.
 *
 * @param entry Its entry module; its manifest says what it asks for.
 * @param options As for `host.load()`.
 * @param host As for `createHost()`.
 * @returns The explanation.
 * @throws {ConfigError} If an option is not valid.
 * @throws {PermissionDeniedError} If a grant would open the host.
 * @throws {SandboxUnavailableError} If this machine cannot confine the plugin as demanded.
 */
export async function explainPlugin(
  entry: string | URL,
  options: LoadOptions = {},
  host: HostOptions = {},
): Promise<Explanation> {
  const config = hostConfig(host);
  const load = loadConfig(entry, options, config);
  const platform = await probePlatform({ bwrap: config.bwrap, deno: config.deno, runAs: config.runAs });
  const { deno } = pluginRuntime(platform);
  const files = sharedFiles(`${config.runtimeDirectory}/<host>/shared`, await embeddedLibrary() !== null);
  const { config: { bundle }, policy: bundled } = await grantedPolicy(
    { config, platform, libraryPath: files.library },
    load,
    findManifest(load.entry),
    options.name,
  );
  const dependencies = { directory: `${config.cacheDirectory}/unbundled/<dependencies>`, hosts: [] };
  const policy = bundle === false ? policyWithDependencies(bundled, dependencies) : bundled;
  const directory = sandboxFiles(`${config.runtimeDirectory}/<host>/<sandbox>`);
  const layout = { runtime: deno, files, directory, pins: new Map<string, number>(), variables: {} };
  return {
    policy,
    denoFlags: denoFlags(policy, sandboxPaths(policy, directory, files)),
    bwrapOptions: hasMounts(policy.tier) ? bwrapArguments(policy, layout) : null,
    refusedCalls: policy.seccomp === null
      ? null
      : describeFilter("guest", policy.seccomp, platform.facts.arch)
        .filter(({ verdict }) => verdict !== "allow" && verdict !== "checked").map(({ name }) => name),
  };
}

/** Stand-ins for what a running host would have made. */
function sharedFiles(path: string, hasNative: boolean): HostFiles {
  return {
    deno: `${path}/deno`,
    guest: `${path}/guest.js`,
    library: hasNative ? `${path}/libcordon.so` : null,
    exec: `${path}/cordon-exec`,
    ...(Deno.build.arch === "x86_64" ? { clock: `${path}/clock` } : {}),
  };
}

function sandboxFiles(path: string): { plugin: string; run: string; boot: string } {
  return { plugin: `${path}/plugin`, run: `${path}/run`, boot: `${path}/run/boot.json` };
}
