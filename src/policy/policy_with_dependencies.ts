/**
 * A policy that shows a plugin what it depends on.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import { hasMounts } from "./has_mounts.ts";
import type { SandboxPolicy } from "./types.ts";

/** Where the dependencies of unbundled plugins are mounted. */
const TARGET = "/app/deps";

/**
 * Add the dependencies of an unbundled plugin to its policy.
 *
 * @param policy The policy of the same plugin, bundled.
 * @param dependencies Directory on the host, and the hosts whose modules are in it.
 * @returns A frozen policy with one more mount, read-only.
 * @throws {SandboxUnavailableError} If the policy's tier has no mounts.
 */
export function policyWithDependencies(
  policy: SandboxPolicy,
  dependencies: {
    readonly directory: string;
    readonly hosts: readonly string[];
    readonly jsrUrl?: string;
  },
): SandboxPolicy {
  if (!hasMounts(policy.tier)) throw mountsMissing(policy);
  const mount = Object.freeze(
    { source: dependencies.directory, target: TARGET, mode: "read-only" } as const,
  );
  return Object.freeze({
    ...policy,
    mounts: Object.freeze([mount, ...policy.mounts]),
    deno: Object.freeze({ ...policy.deno, read: Object.freeze([...policy.deno.read, TARGET]) }),
    environment: Object.freeze({
      ...policy.environment,
      DENO_DIR: `${TARGET}/deno`,
      ...(dependencies.jsrUrl === undefined ? {} : { JSR_URL: dependencies.jsrUrl }),
    }),
    dependencies: Object.freeze({ target: TARGET, hosts: Object.freeze([...dependencies.hosts]) }),
  });
}

function mountsMissing({ plugin, tier }: SandboxPolicy): SandboxUnavailableError {
  const summary = `dependencies are mounted, and the tier "${tier}" has no mounts`;
  return new SandboxUnavailableError(`Cannot load "${plugin}" unbundled as its ${summary}`, {
    findings: [{ id: "bwrap", level: "fail", summary }],
    hint: "Install bubblewrap, or load the plugin bundled",
  });
}
