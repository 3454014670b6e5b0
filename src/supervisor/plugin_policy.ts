/**
 * Decides what confines a plugin, for whoever starts one and for whoever only wants to know.
 *
 * @module
 */

import { grantedConfig } from "../config/mod.ts";
import type { PluginManifest } from "../config/mod.ts";
import type { LoadConfig, PermissionConfig } from "../config/types.ts";
import { resolveGrants } from "../policy/resolve_grants.ts";
import { sandboxPolicy } from "../policy/sandbox_policy.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { checkAskedPaths } from "./check_asked_paths.ts";
import type { HostContext } from "./host_context.ts";

/** What of a host a policy depends on. */
export type PolicyHost = Pick<HostContext, "config" | "platform" | "libraryPath">;

/**
 * The policy of a plugin that gets what its host allows.
 *
 * @param host The host.
 * @param config What the host allows, parsed.
 * @param workingDirectory Absolute directory that the plugin starts in, if it can see it. @default that of this process
 * @returns The policy; its paths are real.
 * @throws As `Host.load()`, as far as its options are concerned.
 */
export async function pluginPolicy(
  host: PolicyHost,
  config: LoadConfig,
  workingDirectory: string = Deno.cwd(),
): Promise<SandboxPolicy> {
  const permissions = await realPermissions(host, config.permissions);
  return policyOf(host, { ...config, permissions }, workingDirectory);
}

/**
 * The policy of a plugin that gets what its manifest asks for, if its host allows all of it.
 *
 * @param host The host.
 * @param allowed What the host allows, parsed.
 * @param manifest What the plugin asks for; null asks for everything that is allowed.
 * @param name Its name, if the host gave one. @default that of its manifest
 * @returns The configuration narrowed, and its policy.
 * @throws As `Host.load()`, as far as options and manifest are concerned.
 */
export async function grantedPolicy<C extends LoadConfig>(
  host: PolicyHost,
  allowed: C,
  manifest: PluginManifest | null,
  name: string | undefined,
): Promise<{ readonly config: C; readonly policy: SandboxPolicy }> {
  if (manifest === null) return { config: allowed, policy: await pluginPolicy(host, allowed) };
  const config = { ...allowed, ...grantedConfig(allowed, manifest), name: name ?? manifest.name };
  // What was checked is what is mounted: links are followed once.
  const permissions = await realPermissions(host, config.permissions);
  checkAskedPaths(config.name, await realPermissions(host, allowed.permissions), permissions);
  return { config, policy: policyOf(host, { ...config, permissions }, Deno.cwd()) };
}

/** Permissions with every path real. */
function realPermissions({ config, platform }: PolicyHost, permissions: PermissionConfig) {
  const { uid, gid } = platform.facts;
  return resolveGrants(permissions, {
    runtimeDirectory: config.runtimeDirectory,
    cacheDirectory: config.cacheDirectory,
    account: uid === 0 ? config.runAs : { uid, gid },
  });
}

/** @param config With permissions whose paths are real. */
function policyOf(host: PolicyHost, config: LoadConfig, workingDirectory: string): SandboxPolicy {
  return sandboxPolicy(config, host.platform.facts, {
    hasNative: host.libraryPath !== null,
    runAs: host.config.runAs,
    workingDirectory,
    findings: host.platform.findings,
  });
}
