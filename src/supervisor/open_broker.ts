/**
 * The permission broker of a plugin, where its options ask for one.
 *
 * @module
 */

import type { OversightConfig } from "../config/types.ts";
import { runSockets } from "../launcher/run_sockets.ts";
import { sandboxPaths } from "../launcher/sandbox_paths.ts";
import type { HostFiles, SandboxDirectory } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { startPermissionBroker } from "./broker.ts";
import type { PermissionAudit, PermissionBroker } from "./broker_types.ts";

/** What a broker is opened for. */
export interface BrokerRequest {
  readonly directory: SandboxDirectory;
  readonly files: HostFiles;
  readonly policy: SandboxPolicy;
  readonly config: OversightConfig;
  readonly audit: (entry: PermissionAudit) => void;
}

/**
 * Whether a plugin's permissions are asked for one by one.
 *
 * @param config Its options.
 * @returns Whether `openBroker()` opens one.
 */
export function hasBroker(config: OversightConfig): boolean {
  return config.onPermission !== null || config.learn !== false;
}

/**
 * Start the broker that the options ask for. Learning asks nobody.
 *
 * @param request What it is for.
 * @returns The broker, listening, or `null`. The caller disposes it, after the plugin.
 * @throws {SandboxUnavailableError} If nothing confines the plugin's paths below Deno.
 */
export async function openBroker(request: BrokerRequest): Promise<PermissionBroker | null> {
  const { directory, files, policy, config, audit } = request;
  if (!hasBroker(config)) return null;
  return await startPermissionBroker({
    socketPath: runSockets(directory.run).broker,
    policy,
    paths: sandboxPaths(policy, directory, files),
    audit,
    ...(config.onPermission === null ? {} : { onPermission: config.onPermission }),
    mode: config.learn === false ? "enforce" : "learn",
  });
}
