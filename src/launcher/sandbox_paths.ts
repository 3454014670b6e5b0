/**
 * Where a guest finds its files.
 *
 * @module
 */

import { hasMounts } from "../policy/has_mounts.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { runSockets } from "./run_sockets.ts";
import type { HostFiles, SandboxDirectory, SandboxPaths } from "./types.ts";

/**
 * V8's locks ask for the frequency at their first contention, asleep for 1 and then 2 ms unless this file tells: Abseil,
 * sysinfo.cc, `NominalCPUFrequency()`.
 */
export const CLOCK_PATH = "/sys/devices/system/cpu/cpu0/tsc_freq_khz";

/**
 * Name the guest's files as the guest sees them.
 *
 * @param policy Its tier decides whether there is a mount namespace.
 * @param directory The sandbox's private directory.
 * @param files Files that all sandboxes of the host share.
 * @returns Paths inside the sandbox, or the host's own where there is no mount namespace.
 */
export function sandboxPaths(
  policy: Pick<SandboxPolicy, "tier">,
  directory: Pick<SandboxDirectory, "plugin" | "run" | "boot">,
  files: HostFiles,
): SandboxPaths {
  if (!hasMounts(policy.tier)) {
    const { plugin, run, boot } = directory;
    const { clock: _, ...own } = files;
    return Object.freeze({ ...own, plugin, run, boot, ...runSockets(run) });
  }
  return Object.freeze({
    deno: "/app/deno",
    exec: files.exec === null ? null : "/app/cordon-exec",
    guest: "/app/guest.js",
    library: files.library === null ? null : "/app/libcordon.so",
    ...(files.clock === undefined ? {} : { clock: CLOCK_PATH }),
    plugin: "/app/plugin",
    run: "/run/cordon",
    boot: "/run/cordon/boot.json",
    ...runSockets("/run/cordon"),
  });
}
