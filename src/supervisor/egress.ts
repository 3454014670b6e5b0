/**
 * The host's end of a plugin's network, where its policy has one.
 *
 * @module
 */

import { runSockets } from "../launcher/run_sockets.ts";
import type { SandboxDirectory } from "../launcher/types.ts";
import { startEgressProxy } from "../network/egress_proxy.ts";
import type { EgressDecision, EgressProxy } from "../network/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";

/**
 * Start the proxy that the policy asks for.
 *
 * @param directory Directory of the sandbox; the proxy's socket lies in it.
 * @param policy The plugin's policy.
 * @param audit Receives each decision.
 * @returns The proxy, or `null` when the policy has none. The caller disposes it.
 */
export async function openEgress(
  directory: SandboxDirectory,
  policy: SandboxPolicy,
  audit: (decision: EgressDecision) => void = () => {},
): Promise<EgressProxy | null> {
  if (policy.network.kind !== "proxy") return null;
  return await startEgressProxy({
    socketPath: runSockets(directory.run).proxy,
    allow: policy.network.allow,
    audit,
    ...(policy.runAs === null ? {} : { owner: policy.runAs }),
  });
}
