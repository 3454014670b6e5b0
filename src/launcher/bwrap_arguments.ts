/**
 * The policy as options of bubblewrap.
 *
 * @module
 */

import type { Mount, SandboxPolicy } from "../policy/types.ts";
import type { HostFiles, Runtime, SandboxDirectory } from "./types.ts";
import { CLOCK_PATH } from "./sandbox_paths.ts";

/** What stands on the host behind the paths inside. */
export interface BwrapLayout {
  /** The runtime's loader and libraries. */
  readonly runtime: Runtime["deno"];
  /** Files that all sandboxes of the host share. */
  readonly files: HostFiles;
  /** Directories of this sandbox. */
  readonly directory: Pick<SandboxDirectory, "plugin" | "run">;
  /** Descriptor, as bubblewrap will have it, that pins the source of a mount; a source that is not listed is bound by path. */
  readonly pins: ReadonlyMap<string, number>;
  /** Variables that the runtime itself needs, besides the plugin's. */
  readonly variables: Readonly<Record<string, string>>;
}

/**
 * Compile a policy into bubblewrap's options, as they are written to `--args`.
 *
 * @param policy What the plugin may do.
 * @param layout What stands on the host behind the paths inside.
 * @returns Options and values, one string each; they end before the command.
 * @throws {TypeError} If a value contains NUL, which would end an option early.
 */
export function bwrapArguments(policy: SandboxPolicy, layout: BwrapLayout): string[] {
  const options = [
    ...isolation(policy),
    ...environment({ ...layout.variables, ...policy.environment }),
    // First, as a grant may lie below /tmp.
    ...scratch(policy.limits.tmpBytes),
    ...policy.mounts.flatMap((mount) => bind(mount, layout.pins)),
    ...runtimeBinds(layout),
    ...["--dir", "/proc/self", "--symlink", "/app/deno", "/proc/self/exe"],
    ...["--dev-bind", "/dev/null", "/dev/null", "--dev-bind", "/dev/urandom", "/dev/urandom"],
    ...["--remount-ro", "/", "--chdir", policy.workingDirectory ?? "/app/plugin"],
  ];
  const broken = options.find((option) => option.includes("\0"));
  if (broken !== undefined) {
    throw new TypeError(`Cannot pass ${JSON.stringify(broken)} to bwrap as it contains NUL`);
  }
  return options;
}

/** Every namespace by name: `--unshare-all` would go on without some of them. */
function isolation(policy: SandboxPolicy): string[] {
  const isOwn = (name: SandboxPolicy["sharedNamespaces"][number]) => !policy.sharedNamespaces.includes(name);
  return [
    "--unshare-user",
    ...(isOwn("ipc") ? ["--unshare-ipc"] : []),
    "--unshare-pid",
    ...(policy.network.kind === "host" ? [] : ["--unshare-net"]),
    ...(isOwn("uts") ? ["--unshare-uts"] : []),
    ...(isOwn("cgroup") ? ["--unshare-cgroup"] : []),
    "--disable-userns",
    ...["--uid", "65534", "--gid", "65534"],
    ...(isOwn("uts") ? ["--hostname", "plugin"] : []),
    "--die-with-parent",
    "--new-session",
    ...["--cap-drop", "ALL"],
    "--clearenv",
  ];
}

function environment(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).flatMap(([name, value]) => ["--setenv", name, value]);
}

function bind(mount: Mount, pins: ReadonlyMap<string, number>): string[] {
  if (mount.mode === "device") return ["--dev-bind", mount.source, mount.target];
  const option = mount.mode === "read-only" ? "--ro-bind" : "--bind";
  const fd = pins.get(mount.source);
  return fd === undefined ? [option, mount.source, mount.target] : [`${option}-fd`, String(fd), mount.target];
}

function runtimeBinds({ runtime, files, directory }: BwrapLayout): string[] {
  const binds: [string, string][] = [
    ...runtime.libraries.map(({ source, target }): [string, string] => [source, target]),
    [runtime.loader, runtime.loaderTarget],
    [files.deno, "/app/deno"],
    [files.guest, "/app/guest.js"],
  ];
  if (files.exec !== null) binds.push([files.exec, "/app/cordon-exec"]);
  if (files.library !== null) binds.push([files.library, "/app/libcordon.so"]);
  if (files.clock !== undefined) binds.push([files.clock, CLOCK_PATH]);
  binds.push([directory.plugin, "/app/plugin"], [directory.run, "/run/cordon"]);
  return binds.flatMap(([source, target]) => ["--ro-bind", source, target]);
}

function scratch(bytes: number): string[] {
  return bytes === 0 ? [] : ["--size", String(bytes), "--perms", "0700", "--tmpfs", "/tmp"];
}
