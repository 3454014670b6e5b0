/**
 * Parses the options of `createHost()`.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { type ConfigEnvironment, processEnvironment } from "./environment.ts";
import { cuda } from "./cuda.ts";
import { profileNames, profiles } from "./capabilities.ts";
import { limitOptions } from "./limits.ts";
import { type Aliases, entries, flag, invalid, object, oneOf } from "./parse.ts";
import { output, permissionCallback, sinks } from "./oversight.ts";
import { path } from "./path.ts";
import { sandboxMode } from "./permissions.ts";
import { count, duration } from "./quantity.ts";
import type { HostConfig } from "./types.ts";

const aliases: Aliases = Object.freeze({ sandboxMode: "sandbox", timeoutMs: "callTimeoutMs" });
const maxId = 2 ** 32 - 2;

/**
 * Reads the options of `createHost()`.
 *
 * @param options What the caller passed; `undefined` means all defaults.
 * @param environment The process around it. @default the real one
 * @returns Frozen configuration without anything left to default, except `limits`, which `loadConfig()` completes.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 *
 * @example
 * ```ts
 * import { hostConfig } from "./host_config.ts";
 *
 * hostConfig({ limits: { memory: "256MiB" } }).limits.memory; // 268435456
 * ```
 */
export function hostConfig(
  options: unknown,
  environment: ConfigEnvironment = processEnvironment(),
): HostConfig {
  const anyPath = path(environment.cwd);
  const parsed = object(options, "", {
    services,
    sandbox: sandboxMode,
    limits: limitOptions,
    profile: oneOf(...profileNames),
    callTimeoutMs: duration(),
    warm: count("a number of sandboxes", { max: 1_000 }),
    handleSignals: flag,
    bwrap: anyPath,
    deno: anyPath,
    runAs: account,
    cacheDirectory: anyPath,
    runtimeDirectory: anyPath,
    output,
    onPermission: permissionCallback,
    sinks,
    cuda,
  }, aliases);
  const preset = parsed.profile === undefined ? undefined : profiles[parsed.profile];
  return Object.freeze({
    services: parsed.services ?? Object.freeze({}),
    sandbox: parsed.sandbox ?? "required",
    limits: Object.freeze({ ...preset?.limits, ...parsed.limits }),
    profile: parsed.profile ?? null,
    callTimeoutMs: parsed.callTimeoutMs ?? 0,
    warm: parsed.warm ?? 0,
    handleSignals: parsed.handleSignals ?? true,
    bwrap: parsed.bwrap ?? null,
    deno: parsed.deno ?? null,
    runAs: parsed.runAs ?? Object.freeze({ uid: 65534, gid: 65534 }),
    cacheDirectory: parsed.cacheDirectory ?? defaultCache(environment),
    runtimeDirectory: parsed.runtimeDirectory ?? defaultRuntime(environment),
    output: parsed.output ?? "inherit",
    onPermission: parsed.onPermission ?? null,
    sinks: parsed.sinks ?? Object.freeze([]),
    cuda: parsed.cuda ?? Object.freeze({ ipc: null, fallback: "host-copy" }),
  });
}

function services(value: unknown, at: string): Readonly<Record<string, object>> {
  const parsed = entries(value, at).map(([name, service]) => {
    const here = `${at}.${name}`;
    if (!/^[A-Za-z][A-Za-z0-9_.-]{0,127}$/.test(name)) {
      throw invalid(here, "the name of a service", `it is ${quote(name)}`);
    }
    if (name === "then" || name === "constructor") {
      throw invalid(here, "the name of a service", "it means something else");
    }
    const isObject = (typeof service === "object" && service !== null) || typeof service === "function";
    if (!isObject) {
      throw invalid(here, "a service", `it is ${quote(service)}`, "Services are objects with methods");
    }
    return [name, service] as const;
  });
  return Object.freeze(Object.fromEntries(parsed));
}

function account(value: unknown, at: string): HostConfig["runAs"] {
  const id = (what: string) => count(what, { min: 1, max: maxId });
  const { uid, gid } = object(value, at, { uid: id("an unprivileged uid"), gid: id("an unprivileged gid") });
  if (uid !== undefined && gid !== undefined) return Object.freeze({ uid, gid });
  const missing = `${at}.${uid === undefined ? "uid" : "gid"}`;
  throw new ConfigError(`Cannot use ${quote(at)} as an account: ${quote(missing)} is missing`, {
    path: missing,
  });
}

/** A home or runtime directory that belongs to somebody else (sudo, setpriv) is as good as none. */
function defaultCache(environment: ConfigEnvironment): string {
  const xdg = ownDirectory(environment, "XDG_CACHE_HOME", "");
  const home = xdg ?? ownDirectory(environment, "HOME", "/.cache");
  return home === null ? `/tmp/cordon-${environment.uid()}/cache` : `${home}/cordon`;
}

/** Root's sandboxes run under another account, which cannot enter the directory of root's login. */
function defaultRuntime(environment: ConfigEnvironment): string {
  const xdg = environment.uid() === 0 ? null : ownDirectory(environment, "XDG_RUNTIME_DIR", "");
  return xdg === null ? `/tmp/cordon-${environment.uid()}` : `${xdg}/cordon`;
}

function ownDirectory(environment: ConfigEnvironment, variable: string, below: string): string | null {
  const directory = environment.env(variable);
  if (directory === undefined || !directory.startsWith("/") || directory.includes("\0")) return null;
  const normal = directory.replace(/\/+$/, "");
  return environment.ownerOf(directory) === environment.uid() ? `${normal}${below}` : null;
}
