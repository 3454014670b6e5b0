/**
 * The coarse names for what a plugin may do, and the host profiles made of them.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { invalid } from "./parse.ts";
import type { LimitOptions, LoadConfig } from "./types.ts";

/** Everything that a capability can stand for here; each is enforced by the layers of the sandbox. */
export const capabilityNames: readonly Capability[] = Object.freeze([
  "fs:read",
  "fs:write",
  "net:request",
  "net:host",
  "sys:env",
  "sys:info",
  "ipc:unix",
  "service:call",
  "gpu",
]);

/** A coarse name for what a plugin may do. */
export type Capability =
  | "fs:read"
  | "fs:write"
  | "net:request"
  | "net:host"
  | "sys:env"
  | "sys:info"
  | "ipc:unix"
  | "service:call"
  | "gpu";

/** Names of other systems that nothing here enforces on their own: accepting one would be a promise without a lock. */
const notEnforced: Readonly<Record<string, string>> = Object.freeze({
  "fs:delete": 'Who may write may delete: use "fs:write"',
  "fs:metadata": 'Who may read may look: use "fs:read"',
  "fs:execute": "A plugin can never start a program",
  "net:dns": 'Names are resolved by the host: use "net:request"',
  "net:listen": "A plugin can never accept connections",
  "sys:exec": "A plugin can never start a program",
  "process:exec": "A plugin can never start a program",
  "sys:time": "Nobody can keep the time from a program: leave it out",
  "plugin:call": 'Plugins meet through services of the host: use "service:call"',
  "plugin:message": 'Plugins meet through services of the host: use "service:call"',
});

/** Reads one capability. */
export function capability(value: unknown, path: string): Capability {
  const found = capabilityNames.find((name) => name === value);
  if (found !== undefined) return found;
  const why = typeof value === "string" && Object.hasOwn(notEnforced, value) ? notEnforced[value] : undefined;
  const hint = why ?? `Known are ${capabilityNames.map(quote).join(", ")}`;
  throw invalid(path, "a capability", `${quote(value)} is not one that can be enforced`, hint);
}

/**
 * The capabilities that a configuration uses.
 *
 * @param config Permissions, services and GPU of a plugin.
 * @returns Their coarse names.
 */
export function usedCapabilities(
  config: Pick<LoadConfig, "permissions" | "gpu"> & { readonly services: Readonly<Record<string, unknown>> },
): readonly Capability[] {
  const { permissions, services, gpu } = config;
  const uses: Readonly<Record<Capability, boolean>> = {
    "fs:read": permissions.read.length > 0,
    "fs:write": permissions.write.length > 0,
    "net:request": permissions.net.kind === "proxy",
    "net:host": permissions.net.kind === "host",
    "sys:env": Object.keys(permissions.env).length > 0,
    "sys:info": permissions.sys.length > 0,
    "ipc:unix": permissions.unix.length > 0,
    "service:call": Object.keys(services).length > 0,
    "gpu": gpu,
  };
  return capabilityNames.filter((name) => uses[name]);
}

/** What a kind of host allows its plugins at most, and the limits that they have unless others are written. */
export interface Profile {
  readonly capabilities: readonly Capability[];
  readonly limits: LimitOptions;
}

/** Presets for kinds of hosts. */
export const profiles: Readonly<Record<ProfileName, Profile>> = Object.freeze({
  terminal: profile(["fs:read", "fs:write", "net:request", "sys:env", "service:call"], {}),
  observability: profile(["fs:read", "net:request", "sys:info", "service:call"], { wallMs: 5_000 }),
  orchestration: profile(capabilityNames, {}),
  "data-processing": profile(["fs:read", "fs:write", "service:call", "gpu"], {}),
  "web-service": profile(["fs:read", "net:request", "sys:env", "service:call"], { wallMs: 30_000 }),
  testing: profile(capabilityNames, { wallMs: 60_000 }),
});

/** Name of a preset. */
export type ProfileName =
  | "terminal"
  | "observability"
  | "orchestration"
  | "data-processing"
  | "web-service"
  | "testing";

/** Names of the presets. */
export const profileNames = Object.freeze(Object.keys(profiles)) as readonly ProfileName[];

/**
 * Refuses a plugin that uses more than a profile allows.
 *
 * @param name The plugin, for messages.
 * @param profileName The host's profile.
 * @param used What the plugin uses.
 * @throws {PermissionDeniedError} If something is not allowed.
 */
export function checkProfile(name: string, profileName: ProfileName, used: readonly Capability[]): void {
  const allowed = profiles[profileName].capabilities;
  const missing = used.filter((one) => !allowed.includes(one));
  if (missing.length === 0) return;
  throw new PermissionDeniedError(
    `Cannot load plugin ${quote(name)} as profile ${quote(profileName)} allows: it uses ${
      missing.map(quote).join(", ")
    }`,
    { suggestion: `profile: "orchestration"`, hint: `The profile allows ${allowed.map(quote).join(", ")}` },
  );
}

function profile(capabilities: readonly Capability[], limits: LimitOptions): Profile {
  return Object.freeze({ capabilities: Object.freeze([...capabilities]), limits: Object.freeze(limits) });
}
