/**
 * Parses the options of `host.load()`.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { type ConfigEnvironment, processEnvironment } from "./environment.ts";
import { checkProfile, usedCapabilities } from "./capabilities.ts";
import { capabilityDrop, sharedNamespaces } from "./isolation.ts";
import { inspectConfig } from "./inspect.ts";
import { limitConfig, limitOptions } from "./limits.ts";
import { abortSignal, type Aliases, flag, invalid, list, object, text } from "./parse.ts";
import { learn, output, permissionCallback } from "./oversight.ts";
import { entryUrl, path } from "./path.ts";
import { permissions, sandboxMode } from "./permissions.ts";
import { duration, size } from "./quantity.ts";
import { restartConfig } from "./restart.ts";
import { services } from "./services.ts";
import type { OnPermission } from "../util/permission.ts";
import type {
  HostConfig,
  LoadConfig,
  LoadOptions,
  OversightConfig,
  PermissionConfig,
  SupervisionConfig,
} from "./types.ts";
import { watchConfig } from "./watch.ts";

const aliases: Aliases = Object.freeze({
  sandboxMode: "sandbox",
  callTimeoutMs: "timeoutMs",
  maxFrameBytes: "maxFrame",
});

/** What a plugin may be called: it appears in messages, file names and metric labels. */
const pluginName = text(
  "a name of letters, digits, dots, hyphens and underscores, 64 at most",
  /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/,
);

/**
 * Reads the arguments of `host.load()`.
 *
 * @param entry Path (absolute or relative to the current directory), `file:` URL, or `https:`, `jsr:` or `npm:` specifier.
 * @param options What the caller passed; `undefined` means all defaults.
 * @param host The host's configuration: its services, limits and defaults.
 * @param environment The process around it. @default the real one
 * @param beside Names of options that the caller heeds itself and has taken out, for messages. @default none
 * @returns Frozen configuration, every default applied, every path absolute.
 * @throws {ConfigError} If a key is unknown or a value does not follow its rule.
 * @throws {PermissionDeniedError} If the host's profile does not allow what is granted.
 *
 * @example
 * ```ts
 * import { hostConfig } from "./host_config.ts";
 * import { loadConfig } from "./load_config.ts";
 *
 * const host = hostConfig({});
 * loadConfig("./resize.ts", { permissions: { net: ["example.com"] } }, host).name; // "resize"
 * ```
 */
export function loadConfig(
  entry: string | URL,
  options: unknown,
  host: HostConfig,
  environment: ConfigEnvironment = processEnvironment(),
  beside: readonly string[] = [],
): LoadConfig & SupervisionConfig & OversightConfig {
  const url = entryUrl(entry, environment.cwd);
  const parsed = object(
    options,
    "",
    {
      name: pluginName,
      permissions: permissions(environment),
      services: services(host.services),
      limits: limitOptions,
      sandbox: sandboxMode,
      timeoutMs: duration(),
      startupTimeoutMs: duration({ min: 1 }),
      shutdownGraceMs: duration(),
      maxFrame: size({ min: 2 ** 12, max: 2 ** 30 }),
      gpu: flag,
      bundle: flag,
      inspect: inspectConfig,
      coverage: path(environment.cwd),
      namespaces: sharedNamespaces,
      capabilities: capabilityDrop,
      restart: restartConfig,
      idempotent: list(text("the name of an export")),
      watch: watchConfig,
      heartbeatMs: duration(),
      output,
      onPermission: permissionCallback,
      learn,
      signal: abortSignal,
    },
    aliases,
    beside,
  );
  const granted = {
    permissions: parsed.permissions ?? permissions(environment)({}, "permissions"),
    services: parsed.services ?? Object.freeze({}),
    gpu: parsed.gpu ?? false,
  };
  const name = parsed.name ?? nameOf(url);
  if (parsed.inspect) {
    checkInspectable({ ...granted, ...parsed, onPermission: parsed.onPermission ?? host.onPermission });
  }
  if (host.profile !== null) checkProfile(name, host.profile, usedCapabilities(granted));
  return Object.freeze({
    name,
    entry: url,
    ...granted,
    ...(parsed.bundle === undefined ? {} : { bundle: parsed.bundle }),
    ...(parsed.coverage === undefined ? {} : { coverage: parsed.coverage }),
    ...(parsed.inspect === undefined || parsed.inspect === null ? {} : { inspect: parsed.inspect }),
    sharedNamespaces: parsed.namespaces ?? Object.freeze([]),
    limits: limitConfig(host.limits, parsed.limits ?? {}),
    sandbox: parsed.sandbox ?? host.sandbox,
    timeoutMs: parsed.timeoutMs ?? host.callTimeoutMs,
    startupTimeoutMs: parsed.startupTimeoutMs ?? 10_000,
    shutdownGraceMs: parsed.shutdownGraceMs ?? 2_000,
    maxFrameBytes: parsed.maxFrame ?? 2 ** 24,
    restart: parsed.restart ?? restartConfig(undefined, "restart"),
    idempotent: parsed.idempotent ?? Object.freeze([]),
    watch: parsed.watch ?? watchConfig(undefined, "watch"),
    heartbeatMs: parsed.heartbeatMs ?? 0,
    output: parsed.output ?? host.output,
    onPermission: parsed.onPermission ?? host.onPermission,
    learn: parsed.learn ?? false,
  });
}

/**
 * With sockets of its own, or a broker in front of its start, a plugin could reach the debugger's end itself. The runtime
 * counts nothing while it is debugged.
 */
function checkInspectable(
  { permissions, onPermission, learn = false, coverage }: {
    readonly permissions: PermissionConfig;
    readonly onPermission: OnPermission | null;
    readonly learn?: LoadOptions["learn"];
    readonly coverage?: string | undefined;
  },
): void {
  const obstacles = {
    "permissions.net": permissions.net.kind !== "none",
    "permissions.unix": permissions.unix.length > 0,
    onPermission: onPermission !== null,
    learn: learn !== false,
    coverage: coverage !== undefined,
  };
  const [obstacle] = Object.entries(obstacles).find(([, isSet]) => isSet) ?? [null];
  if (obstacle === null) return;
  throw invalid(
    "inspect",
    "an option beside others",
    `${quote(obstacle)} is set, too`,
    `Leave out ${quote(obstacle)} while you debug`,
  );
}

/** Last part of the entry's path without extension and version, cut down to what a name may contain. */
function nameOf(url: string): string {
  const withoutVersion = url.replace(/[?#].*$/, "").replace(/(?<=.)@[^/@]*$/, "").replace(/\/+$/, "");
  const last = withoutVersion.slice(withoutVersion.search(/[^/:]*$/));
  const name = last.replaceAll(/%[0-9a-f]{2}/gi, "-").replace(/(?<=.)\.[^.]*$/, "").replaceAll(
    /[^A-Za-z0-9._-]+/g,
    "-",
  );
  const trimmed = name.replace(/^[^A-Za-z0-9]+/, "").slice(0, 64);
  return trimmed === "" ? "plugin" : trimmed;
}
