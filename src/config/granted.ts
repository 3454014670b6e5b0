/**
 * What a plugin gets: what its manifest asks for, if the host allows all of it.
 *
 * @module
 */

import { isAbsolute, relative, resolve } from "node:path";
import { ConfigError, PermissionDeniedError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { sizeText } from "../util/size.ts";
import { usedCapabilities } from "./capabilities.ts";
import type { PluginManifest } from "./manifest.ts";
import type { LimitConfig, LimitOptions, LoadConfig, PathGrant, PermissionConfig } from "./types.ts";

/** Something that is asked for and not allowed. */
interface Shortfall {
  readonly key: string;
  readonly asked: string;
  readonly allowed: readonly string[];
}

/**
 * Narrows what the host allows to what the manifest asks for.
 *
 * @param config What the host allows, parsed.
 * @param manifest What the plugin asks for.
 * @returns The configuration with the permissions and services that were asked for, and nothing else.
 * @throws {PermissionDeniedError} If the manifest asks for more than the host allows; the message names both.
 * @throws {ConfigError} If the manifest contradicts itself.
 */
export function grantedConfig(config: LoadConfig, manifest: PluginManifest): LoadConfig {
  checkCapabilities(manifest);
  const shortfalls: Shortfall[] = [];
  const permissions = manifest.permissions === null
    ? config.permissions
    : narrowPermissions(config.permissions, manifest.permissions, shortfalls);
  const services = manifest.services === null
    ? config.services
    : narrowServices(config.services, manifest.services, shortfalls);
  if (manifest.limits !== null) compareLimits(config.limits, manifest.limits, shortfalls);
  if (shortfalls.length > 0) throw denied(manifest, shortfalls);
  const bundle = config.bundle ?? manifest.bundle;
  return Object.freeze({ ...config, permissions, services, ...(bundle === null ? {} : { bundle }) });
}

/** Who declares capabilities declares all of them. */
function checkCapabilities({ capabilities, permissions, services, file }: PluginManifest): void {
  if (capabilities === null || permissions === null) return;
  const used = usedCapabilities({ permissions, services: services ?? {}, gpu: false });
  const missing = used.filter((one) => !capabilities.includes(one));
  if (missing.length === 0) return;
  const names = missing.map(quote).join(", ");
  throw new ConfigError(
    `Cannot use ${quote(file)} as a manifest: it asks for ${names} without declaring it`,
    {
      path: "capabilities",
      hint: `Add ${names} to "capabilities"`,
    },
  );
}

function denied(manifest: PluginManifest, shortfalls: readonly Shortfall[]): PermissionDeniedError {
  const lines = shortfalls.map(({ key, asked, allowed }) =>
    `${key} ${asked} (allowed: ${allowed.length === 0 ? "nothing" : allowed.join(", ")})`
  );
  const suggestion = shortfalls.map(({ key, asked }) => `${key}: ${asked}`).join("; ");
  return new PermissionDeniedError(
    `Cannot load plugin ${quote(manifest.name)} as ${quote(manifest.file)} asks: the host does not allow ${
      lines.join("; ")
    }`,
    { suggestion, hint: `Add to the options of load(): ${suggestion}` },
  );
}

function narrowPermissions(
  host: PermissionConfig,
  asked: PermissionConfig,
  shortfalls: Shortfall[],
): PermissionConfig {
  const readable = [...host.read, ...host.write];
  return Object.freeze({
    read: paths("permissions.read", readable, asked.read, shortfalls),
    write: paths("permissions.write", host.write, asked.write, shortfalls),
    net: network(host.net, asked.net, shortfalls),
    env: variables(host.env, asked.env, shortfalls),
    sys: names("permissions.sys", host.sys, asked.sys, shortfalls),
    unix: names("permissions.unix", host.unix, asked.unix, shortfalls),
  });
}

/** A path is asked for as the plugin will see it; the host's grant says what lies there. */
function paths(
  key: string,
  allowed: readonly PathGrant[],
  asked: readonly PathGrant[],
  shortfalls: Shortfall[],
): readonly PathGrant[] {
  return Object.freeze(asked.flatMap(({ target }) => {
    for (const grant of allowed) {
      const below = relative(grant.target, target);
      if (below === ".." || below.startsWith("../") || isAbsolute(below)) continue;
      return [Object.freeze({ source: resolve(grant.source, below), target })];
    }
    shortfalls.push({ key, asked: quote(target), allowed: allowed.map((one) => quote(one.target)) });
    return [];
  }));
}

function network(
  host: PermissionConfig["net"],
  asked: PermissionConfig["net"],
  shortfalls: Shortfall[],
): PermissionConfig["net"] {
  if (asked.kind === "none" || host.kind === "host") return asked;
  const allowed = host.kind === "proxy" ? host.allow : [];
  const wanted = asked.kind === "host" ? ["host"] : asked.allow;
  for (const entry of wanted) {
    const isAllowed = asked.kind === "proxy" && allowed.some((one) => coversHost(one, entry));
    if (!isAllowed) {
      shortfalls.push({ key: "permissions.net", asked: quote(entry), allowed: allowed.map(quote) });
    }
  }
  return asked;
}

/** Whether an allowed `host:port` contains an asked one. `*.a.b` contains every name below `a.b`, and `*.c.a.b`. */
function coversHost(allowed: string, asked: string): boolean {
  if (allowed === asked) return true;
  return allowed.startsWith("*.") && asked.replace(/^\*\./, "").endsWith(allowed.slice(1));
}

function variables(
  host: Readonly<Record<string, string>>,
  asked: Readonly<Record<string, string>>,
  shortfalls: Shortfall[],
): Readonly<Record<string, string>> {
  const found = names("permissions.env", Object.keys(host), Object.keys(asked), shortfalls);
  return Object.freeze(Object.fromEntries(found.map((name) => [name, host[name] ?? ""])));
}

function names(
  key: string,
  allowed: readonly string[],
  asked: readonly string[],
  shortfalls: Shortfall[],
): readonly string[] {
  for (const name of asked) {
    if (!allowed.includes(name)) shortfalls.push({ key, asked: quote(name), allowed: allowed.map(quote) });
  }
  return asked;
}

function narrowServices(
  host: LoadConfig["services"],
  asked: LoadConfig["services"],
  shortfalls: Shortfall[],
): LoadConfig["services"] {
  const narrowed = Object.entries(asked).map(([name, methods]) => {
    const allowed = Object.hasOwn(host, name) ? host[name] : undefined;
    if (allowed === undefined) {
      shortfalls.push({ key: "services", asked: quote(name), allowed: Object.keys(host).map(quote) });
      return [name, Object.freeze([])] as const;
    }
    if (methods === "all" || allowed === "all") return [name, methods === "all" ? allowed : methods] as const;
    return [name, names(`services.${name}`, allowed, methods, shortfalls)] as const;
  });
  return Object.freeze(Object.fromEntries(narrowed));
}

type Measure = readonly [name: keyof LimitOptions, allowed: number | null, show: (value: number) => string];

function compareLimits(allowed: LimitConfig, asked: LimitOptions, shortfalls: Shortfall[]): void {
  const measures: readonly Measure[] = [
    ["memory", allowed.memoryBytes, sizeText],
    ["cpuPercent", allowed.cpuPercent, String],
    ["cpuSeconds", allowed.cpuSeconds, String],
    ["wallMs", allowed.wallMs, String],
    ["processes", allowed.processes, String],
    ["openFiles", allowed.openFiles, String],
    ["fileSize", allowed.fileSizeBytes, sizeText],
    ["tmp", allowed.tmpBytes, sizeText],
    ["tmpInodes", allowed.tmpInodes, String],
    ["workers", allowed.workers, String],
    ["output", allowed.outputBytes, sizeText],
  ];
  for (const [name, most, show] of measures) {
    const value = asked[name];
    if (typeof value !== "number" || most === null || value <= most) continue;
    shortfalls.push({ key: `limits.${name}`, asked: show(value), allowed: [show(most)] });
  }
}
