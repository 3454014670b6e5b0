/**
 * What a plugin with a GPU sees of it.
 *
 * @module
 */

import type { PlatformFacts } from "../platform/types.ts";
import type { Mount, Tier } from "./types.ts";
import { hasMounts } from "./has_mounts.ts";

/** The driver asks for these; the runtime need not have. */
const SYSTEM_LIBRARIES: readonly string[] = ["libm.so.6", "libdl.so.2", "libpthread.so.0", "librt.so.1"];

/**
 * Device nodes, and the driver's libraries where the loader looks for them.
 *
 * @param facts The devices and libraries of this machine.
 * @param tier Without a mount namespace everything is where it is.
 * @returns Mounts, not frozen.
 */
export function gpuMounts(facts: PlatformFacts, tier: Tier): readonly Mount[] {
  const devices = facts.gpuDevices.map((path): Mount => ({ source: path, target: path, mode: "device" }));
  const libraries = facts.gpuLibraries ?? [];
  if (!hasMounts(tier)) {
    return [...devices, ...libraries.map(({ source }) => readable(source, source))];
  }
  const standard = facts.deno?.libraries.find(({ target }) => target.endsWith("/libc.so.6"));
  if (standard === undefined || libraries.length === 0) return devices;
  const directory = standard.target.slice(0, standard.target.lastIndexOf("/"));
  const present = new Set(facts.deno?.libraries.map(({ target }) => target));
  const system = SYSTEM_LIBRARIES
    .map((name): Mount => readable(`${sourceDirectory(standard.source)}/${name}`, `${directory}/${name}`))
    .filter(({ target }) => !present.has(target));
  const driver = libraries.map(({ name, source }) => readable(source, `${directory}/${name}`));
  return [...devices, ...system, ...driver];
}

function readable(source: string, target: string): Mount {
  return { source, target, mode: "read-only" };
}

function sourceDirectory(source: string): string {
  return source.slice(0, source.lastIndexOf("/"));
}
