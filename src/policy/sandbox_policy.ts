/**
 * The one policy of a plugin, from what it may do and what the machine can do.
 *
 * @module
 */

import type { LoadConfig, PathGrant, PermissionConfig } from "../config/types.ts";
import { type Finding, SandboxUnavailableError } from "../errors.ts";
import type { PlatformFacts } from "../platform/types.ts";
import type { Account, DenoPermissions, Mount, SandboxPolicy, SeccompProfile, Tier } from "./types.ts";
import { pluginEnvironment } from "./environment.ts";
import { isAtOrBelow } from "./forbidden_paths.ts";
import { hasMounts } from "./has_mounts.ts";
import { limitEnforcement } from "./limit_enforcement.ts";
import { policyMounts } from "./policy_mounts.ts";
import { sandboxTier } from "./sandbox_tier.ts";
import { refuseUnenforcedGrants } from "./unenforced_grants.ts";

/** Facts about the host process that the policy depends on. */
export interface PolicyContext {
  /** Unprivileged account under which a root host starts sandboxes. Ignored if the host is not root. */
  readonly runAs: Account;
  /** What the probes found, for errors. @default [] */
  readonly findings?: readonly Finding[];
  /** Current directory of the host, absolute. */
  readonly workingDirectory: string;
  /** There is a native library for guests, with which they bound their memory. @default true */
  readonly hasNative?: boolean;
}

/**
 * Decide everything that confines one plugin. Pure: paths must have been resolved by `resolveGrants()` before.
 *
 * @param config What the plugin may do.
 * @param facts What the machine can do.
 * @param context Facts about the host process.
 * @returns Plain, frozen data that every layer is compiled from.
 * @throws {SandboxUnavailableError} If the machine cannot enforce what `config` demands.
 * @throws {ConfigError} If a variable or the target of a mount is refused.
 */
export function sandboxPolicy(
  config: LoadConfig,
  facts: PlatformFacts,
  context: PolicyContext,
): SandboxPolicy {
  const tier = sandboxTier(config.sandbox, facts, context.findings);
  const isConfined = tier !== "permissions-only";
  const mounts = policyMounts(config, facts, tier);
  refuseUnenforcedGrants(config, tier);
  refuseWithoutMounts(config, tier);
  const isLinux = facts.os === "linux";
  const cgroup = tier === "full" ? policyCgroup(facts) : null;
  return Object.freeze({
    plugin: config.name,
    tier,
    arch: isConfined && facts.arch !== "other" ? facts.arch : null,
    deno: denoPermissions(config.permissions, mounts, scratch(config, tier)),
    mounts,
    network: network(config.permissions.net),
    environment: pluginEnvironment(config.permissions.env),
    workingDirectory: workingDirectory(mounts, context),
    seccomp: isConfined ? seccompProfile(config, tier) : null,
    landlockAbi: isConfined ? facts.landlockAbi : 0,
    limits: limits(config),
    enforcement: limitEnforcement(config.limits, {
      tier,
      isLinux,
      cgroup,
      hasNative: context.hasNative ?? true,
      hasWritablePath: config.permissions.write.length > 0,
    }),
    sharedNamespaces: Object.freeze([...config.sharedNamespaces ?? []]),
    cgroup,
    runAs: isLinux && facts.uid === 0 ? context.runAs : null,
    gpu: config.gpu,
    ...(config.inspect === undefined ? {} : { inspector: true }),
  });
}

/** A debugger's end on the host's network is for every process of this machine; reports are written to a mount. */
function refuseWithoutMounts({ name, inspect, coverage }: LoadConfig, tier: SandboxPolicy["tier"]): void {
  if (hasMounts(tier) || (inspect ?? coverage) === undefined) return;
  const [verb, what] = inspect === undefined
    ? ["count what runs in", "the runtime writes its counts to a mount"]
    : ["inspect", "its debugger listens in a network of its own"];
  const summary = `${what}, which the tier "${tier}" has not`;
  throw new SandboxUnavailableError(`Cannot ${verb} "${name}" as ${summary}`, {
    findings: [{ id: "bwrap", level: "fail", summary }],
    hint: "Install bubblewrap, or run the plugin's code in a test of its own",
  });
}

/** A scratch space is the plugin's own: whoever gives one means it to be used. Without mounts /tmp is the host's. */
function scratch({ limits }: LoadConfig, tier: Tier): readonly string[] {
  return limits.tmpBytes > 0 && hasMounts(tier) ? ["/tmp"] : [];
}

function policyCgroup({ cgroup }: PlatformFacts): SandboxPolicy["cgroup"] {
  if (cgroup === null) return null;
  const { version, directories } = cgroup;
  return Object.freeze({ version, directories: Object.freeze({ ...directories }) });
}

function denoPermissions(
  permissions: PermissionConfig,
  mounts: readonly Mount[],
  own: readonly string[],
): DenoPermissions {
  const devices = mounts.filter((mount) => mount.mode === "device").map((mount) => mount.target);
  return Object.freeze({
    read: Object.freeze(paths([...permissions.read, ...permissions.write], permissions.unix, devices, own)),
    write: Object.freeze(paths(permissions.write, permissions.unix, devices, own)),
    net: denoNetwork(permissions),
    env: Object.freeze(Object.keys(permissions.env)),
    sys: Object.freeze([...permissions.sys]),
  });
}

function paths(
  grants: readonly PathGrant[],
  sockets: readonly string[],
  devices: readonly string[],
  own: readonly string[],
): string[] {
  return [...new Set([...grants.map((grant) => grant.target), ...sockets, ...devices, ...own])];
}

function denoNetwork(permissions: PermissionConfig): readonly string[] | "all" {
  switch (permissions.net.kind) {
    case "host":
      return "all";
    case "proxy":
      return Object.freeze([...permissions.net.allow, ...unixNetwork(permissions)]);
    case "none":
      return Object.freeze(unixNetwork(permissions));
  }
}

function unixNetwork(permissions: PermissionConfig): string[] {
  return permissions.unix.map((path) => `unix:${path}`);
}

function network(net: PermissionConfig["net"]): SandboxPolicy["network"] {
  return Object.freeze(
    net.kind === "proxy" ? { kind: net.kind, allow: Object.freeze([...net.allow]) } : { ...net },
  );
}

function seccompProfile(config: LoadConfig, tier: Tier): SeccompProfile {
  const { net, unix } = config.permissions;
  return Object.freeze({
    network: net.kind !== "none",
    unix: unix.length > 0 || net.kind === "proxy",
    gpu: config.gpu,
    hostFiles: tier === "landlock",
    ...(config.inspect === undefined ? {} : { inspector: true }),
  });
}

/** The host's directory, where the plugin can see it, so that relative paths mean the same on both sides. */
function workingDirectory(mounts: readonly Mount[], context: PolicyContext): string | null {
  const here = context.workingDirectory;
  const isVisible = mounts.some(({ target, mode }) =>
    mode !== "device" && (isAtOrBelow(target, here) || isAtOrBelow(here, target))
  );
  return isVisible ? here : null;
}

function limits(config: LoadConfig): SandboxPolicy["limits"] {
  return Object.freeze({ ...config.limits, enforce: Object.freeze({ ...config.limits.enforce }) });
}
