/**
 * The policy as flags of `deno run`.
 *
 * @module
 */

import type { SandboxPolicy } from "../policy/types.ts";
import { INSPECTOR_ADDRESS } from "./inspector_address.ts";
import type { SandboxPaths } from "./types.ts";

const MEBIBYTE = 2 ** 20;
/** A bundle has everything in it. */
const BUNDLED = ["--no-config", "--no-lock", "--no-remote", "--no-npm"] as const;

/**
 * Compile a policy into the flags that stand between `deno run` and the guest's script. The guest takes back what only
 * its own start needs (FFI, the socket, its settings) before any plugin code runs.
 *
 * @param policy What the plugin may do.
 * @param paths Where the guest finds its files.
 * @param extra Flags of the host's user for inspection, such as `--inspect`.
 * @returns One argument each; no value of a plugin can become a flag of its own.
 * @throws {TypeError} If a value contains a comma, at which the runtime would split it.
 */
export function denoFlags(
  policy: SandboxPolicy,
  paths: SandboxPaths,
  extra: readonly string[] = [],
): string[] {
  const { deno, limits } = policy;
  const proxy = policy.network.kind === "proxy" ? [paths.proxy] : [];
  const relay = policy.inspector === true ? [paths.inspector] : [];
  return [
    "--no-prompt",
    ...modules(policy.dependencies),
    "--cached-only",
    "--no-code-cache",
    ...remoteModules(policy.dependencies),
    `--v8-flags=${v8Flags(limits.memoryBytes).join(",")}`,
    // It would print the address inside.
    ...(policy.inspector === true ? ["--quiet", `--inspect=${INSPECTOR_ADDRESS}`] : []),
    ...(policy.coverage === undefined ? [] : [`--coverage=${policy.coverage}`]),
    allow("read", [paths.plugin, paths.boot, paths.socket, ...relay, ...proxy, ...deno.read]),
    allow("write", [paths.socket, ...relay, ...proxy, ...deno.write]),
    deno.net === "all"
      ? "--allow-net"
      : allow("net", [`unix:${paths.socket}`, ...inspector(relay), ...loopback(proxy), ...deno.net]),
    ...(paths.library === null ? [] : ["--allow-ffi"]),
    // Nothing is given away: the process has no variables but the granted ones and a few of the runtime's. Many packages
    // ask for others when they are imported, and expect `undefined`, not an error.
    "--allow-env",
    ...(deno.sys.length === 0 ? [] : [allow("sys", deno.sys)]),
    ...extra,
  ];
}

/** How imports are resolved: not at all, or by what is mounted, which nothing can be added to. */
function modules(dependencies: SandboxPolicy["dependencies"]): readonly string[] {
  if (dependencies === undefined) return BUNDLED;
  const { target, hosts } = dependencies;
  return [
    // It would tell of every install script that it does not run.
    "--quiet",
    `--config=${target}/deno.json`,
    `--lock=${target}/deno.lock`,
    "--frozen",
    "--node-modules-dir=none",
    "--vendor=false",
    ...(hosts.length === 0 ? ["--no-remote"] : []),
  ];
}

/** Without it the runtime's list of hosts that modules may come from holds, and a plugin reads it as "granted". */
function remoteModules(dependencies: SandboxPolicy["dependencies"]): readonly string[] {
  return dependencies === undefined || dependencies.hosts.length === 0
    ? ["--deny-import"]
    : [allow("import", dependencies.hosts)];
}

/**
 * The heap's bound, and source positions with the first compilation: without them the first error that is thrown, which
 * is one in the codec's own start, compiles the whole guest a second time (7 ms of each start).
 */
function v8Flags(memoryBytes: number): string[] {
  const mebibytes = Math.max(1, Math.floor(memoryBytes / MEBIBYTE));
  return [`--max-old-space-size=${mebibytes}`, "--no-enable-lazy-source-positions"];
}

/** What its start needs to connect the runtime's end for debuggers with the host's. */
function inspector(relay: readonly string[]): string[] {
  return relay.flatMap((path) => [`unix:${path}`, INSPECTOR_ADDRESS]);
}

/** In its empty network namespace the guest itself forwards from the loopback device to the proxy's socket. */
function loopback(proxy: readonly string[]): string[] {
  return proxy.flatMap((path) => [`unix:${path}`, "127.0.0.1"]);
}

/** The runtime splits at every comma and knows no escape: the policy has refused values that contain one. */
function allow(name: string, values: readonly string[]): string {
  const split = values.find((value) => value.includes(","));
  if (split !== undefined) {
    throw new TypeError(`Cannot allow ${JSON.stringify(split)} as it contains a comma`);
  }
  return `--allow-${name}=${values.join(",")}`;
}
