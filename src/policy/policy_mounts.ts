/**
 * What of the host a sandbox sees, and where.
 *
 * @module
 */

import type { LoadConfig, PathGrant } from "../config/types.ts";
import type { PlatformFacts } from "../platform/types.ts";
import type { Mount, Tier } from "./types.ts";
import { ConfigError } from "../errors.ts";
import { isAtOrBelow } from "./forbidden_paths.ts";
import { gpuMounts } from "./gpu_mounts.ts";
import { hasMounts } from "./has_mounts.ts";

const RESERVED = ["/app", "/run/cordon", "/proc", "/sys", "/dev"] as const;

/**
 * Turn grants into mounts: parents before what lies below them, one mount a target.
 *
 * @param config Grants with resolved sources.
 * @param facts The runtime's libraries, whose places stay free, and the devices.
 * @param tier Without a mount namespace a grant appears where it is.
 * @returns Frozen mounts in the order in which they are made.
 * @throws {ConfigError} If a target is reserved, listed twice for different sources, or cannot be mapped.
 */
export function policyMounts(config: LoadConfig, facts: PlatformFacts, tier: Tier): readonly Mount[] {
  const { read, write, unix } = config.permissions;
  const byTarget = new Map<string, Mount>();
  for (const grant of read) add(byTarget, grant, "read-only");
  for (const path of unix) add(byTarget, { source: path, target: path }, "read-only");
  for (const grant of write) add(byTarget, grant, "read-write");
  const runtime = runtimeTargets(facts);
  for (const { target } of byTarget.values()) checkTarget(target, runtime);
  if (!hasMounts(tier)) [...byTarget.values()].forEach(checkUnmapped);
  const devices = config.gpu ? gpuMounts(facts, tier) : [];
  const mounts = [...byTarget.values(), ...devices].sort((a, b) => depth(a.target) - depth(b.target));
  return Object.freeze(mounts.map((mount) => Object.freeze(mount)));
}

function add(byTarget: Map<string, Mount>, grant: PathGrant, mode: Mount["mode"]): void {
  const earlier = byTarget.get(grant.target);
  if (earlier !== undefined && earlier.source !== grant.source) {
    throw new ConfigError(
      `Cannot mount "${grant.source}" at "${grant.target}" as a target has one source: it is "${earlier.source}" already`,
      { path: "permissions", hint: "Give one of them another target" },
    );
  }
  byTarget.set(grant.target, { source: grant.source, target: grant.target, mode });
}

function runtimeTargets(facts: PlatformFacts): string[] {
  if (facts.deno === null) return [];
  return [facts.deno.loaderTarget, ...facts.deno.libraries.map((library) => library.target)];
}

function checkTarget(target: string, runtime: readonly string[]): void {
  if (target.includes(",")) {
    throw new ConfigError(
      `Cannot show a path at "${target}" as Deno's permissions separate paths by commas`,
      {
        path: "permissions",
        hint: 'Map it to a path without one: { read: { "<path on the host>": "<path inside>" } }',
      },
    );
  }
  const reserved = RESERVED.find((path) => isAtOrBelow(target, path) || isAtOrBelow(path, target)) ??
    runtime.find((path) => isAtOrBelow(path, target));
  if (reserved === undefined) return;
  throw new ConfigError(
    `Cannot mount at "${target}" as "${reserved}" belongs to the runtime inside the sandbox`,
    {
      path: "permissions",
      hint: 'Map it elsewhere: { read: { "<path on the host>": "<path inside>" } }',
    },
  );
}

/** Without a mount namespace the plugin sees a path where it is; a link on the way is harmless. */
function checkUnmapped(mount: Mount): void {
  if (mount.source === mount.target) return;
  throw new ConfigError(
    `Cannot show "${mount.source}" at "${mount.target}" as mapping a path needs bubblewrap: this tier has no mounts`,
    { path: "permissions", hint: "Grant the real path under its own name" },
  );
}

function depth(path: string): number {
  return path.split("/").length;
}
