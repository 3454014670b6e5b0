/**
 * Grants that a tier cannot keep a plugin to.
 *
 * @module
 */

import type { LoadConfig } from "../config/types.ts";
import type { Finding } from "../errors.ts";
import type { Tier } from "./types.ts";
import { SandboxUnavailableError } from "../errors.ts";
import { hasMounts } from "./has_mounts.ts";

/**
 * Refuse grants whose bounds nothing would enforce.
 *
 * @param config What the plugin may do.
 * @param tier The layers that are in force.
 * @throws {SandboxUnavailableError} If a grant would open more than it says.
 */
export function refuseUnenforcedGrants(config: LoadConfig, tier: Tier): void {
  const findings = [...hostListFindings(config, tier), ...socketFindings(config, tier)];
  if (findings.length === 0) return;
  const causes = findings.map((finding) => finding.summary).join("; ");
  throw new SandboxUnavailableError(
    `Cannot start "${config.name}" as its grants must be enforced: ${causes}`,
    {
      findings,
      hint: findings[0]?.fix?.[0],
    },
  );
}

/** Only an empty network namespace makes the proxy the one way out. */
function hostListFindings({ permissions }: LoadConfig, tier: Tier): Finding[] {
  if (permissions.net.kind !== "proxy" || hasMounts(tier)) return [];
  return [{
    id: "network-namespace",
    level: "fail",
    summary: `the tier "${tier}" has no network namespace, so a list of hosts is no bound`,
    fix: ['Use bubblewrap, or write net: "host" if the whole network may be reached'],
  }];
}

/** Landlock does not govern connecting to a socket by path, so one socket granted would be all of them. */
function socketFindings({ permissions }: LoadConfig, tier: Tier): Finding[] {
  if (permissions.unix.length === 0 || tier !== "landlock") return [];
  return [{
    id: "unix-sockets",
    level: "fail",
    summary: "Landlock cannot keep a plugin to the sockets that it was granted",
    fix: ["Use bubblewrap, or reach the socket through a service of the host"],
  }];
}
