/**
 * Parses what a plugin says about itself: the `cordon` key of its deno.json, or cordon.json.
 *
 * @module
 */

import { dirname, isAbsolute, relative, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ConfigError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { parseRange, parseVersion } from "../util/semver.ts";
import { type Capability, capability, type ProfileName, profileNames } from "./capabilities.ts";
import { limitOptions } from "./limits.ts";
import { type Aliases, entries, flag, invalid, list, object, oneOf, type Parser, text } from "./parse.ts";
import { permissions } from "./permissions.ts";
import { count } from "./quantity.ts";
import type { LimitOptions, PermissionConfig } from "./types.ts";

/** Another plugin that must be loaded before. */
export interface ManifestDependency {
  /** Name of the plugin. */
  readonly name: string;
  /** Range of versions, such as `"^1.2"`. */
  readonly version: string;
  /** Its absence is no error. */
  readonly optional: boolean;
}

/** What a plugin says about itself, parsed and frozen. What it leaves out is `null` or empty. */
export interface PluginManifest {
  /** Absolute path of the file that it stands in. */
  readonly file: string;
  /** Name of the plugin. */
  readonly name: string;
  /** Its version, such as `"1.4.0"`. */
  readonly version: string;
  /** The host API that it is written against; `null`: any. */
  readonly apiVersion: { readonly major: number; readonly minor: number } | null;
  /** What it does. */
  readonly description: string;
  /** SPDX expression. */
  readonly license: string;
  /** Who wrote it. */
  readonly authors: readonly string[];
  /** `null`: whatever its permissions need. */
  readonly capabilities: readonly Capability[] | null;
  /** Plugins that must be loaded before. */
  readonly dependencies: readonly ManifestDependency[];
  /** Names that it promises to export; `null` promises nothing. */
  readonly exports: readonly string[] | null;
  /** Words to find it by. */
  readonly tags: readonly string[];
  /** Anything else; nothing here reads it. */
  readonly metadata: Readonly<Record<string, string>>;
  /** `file:` URL of the entry module, below the directory of the file. */
  readonly entry: string;
  /** What it asks for; `null`: whatever the host gives. Values of variables are empty. */
  readonly permissions: PermissionConfig | null;
  /** Services of the host that it asks for, with methods. */
  readonly services: Readonly<Record<string, readonly string[] | "all">> | null;
  /** What it needs at least. */
  readonly limits: LimitOptions | null;
  /** The kind of host that it is made for. */
  readonly profile: ProfileName | null;
  /** `false`: its packages load code by names which only they compute, so that it cannot be one file. */
  readonly bundle: boolean | null;
}

/** What the surrounding deno.json says, for keys that the manifest leaves out. */
export interface ManifestDefaults {
  readonly name?: unknown;
  readonly version?: unknown;
  readonly entry?: unknown;
}

const pluginName = text(
  "a name of small letters, digits and hyphens",
  /^[a-z0-9][a-z0-9-]{0,63}$/,
);
const aliases: Aliases = Object.freeze({
  "api-version": "apiVersion",
  api_version: "apiVersion",
  source: "entry",
});

/**
 * Reads a manifest.
 *
 * @param value The parsed JSON.
 * @param file Absolute path of the file that it stands in; paths start from its directory.
 * @param defaults Name, version and entry of the surrounding deno.json.
 * @returns The manifest, frozen.
 * @throws {ConfigError} If a key is unknown, missing, or does not follow its rule. The message names the file.
 */
export function pluginManifest(
  value: unknown,
  file: string,
  defaults: ManifestDefaults = {},
): PluginManifest {
  try {
    return parse(value, file, defaults);
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const message = `${error.message}, in ${quote(file)}`;
    throw new ConfigError(message, { path: error.path, hint: error.hint, cause: error });
  }
}

function parse(value: unknown, file: string, defaults: ManifestDefaults): PluginManifest {
  const directory = dirname(file);
  const parsed = object(value, "", shape(directory), aliases);
  const entry = parsed.entry ?? entryBelow(directory)(required(defaults.entry, "entry"), "entry");
  return Object.freeze({
    file,
    name: parsed.name ?? pluginName(withoutScope(required(defaults.name, "name")), "name"),
    version: parsed.version ?? version(required(defaults.version, "version"), "version"),
    apiVersion: parsed.apiVersion ?? null,
    description: parsed.description ?? "",
    license: parsed.license ?? "",
    authors: parsed.authors ?? Object.freeze([]),
    capabilities: parsed.capabilities ?? null,
    dependencies: parsed.dependencies ?? Object.freeze([]),
    exports: parsed.exports ?? null,
    tags: parsed.tags ?? Object.freeze([]),
    metadata: parsed.metadata ?? Object.freeze({}),
    entry,
    permissions: parsed.permissions ?? null,
    services: parsed.services ?? null,
    limits: parsed.limits ?? null,
    profile: parsed.profile ?? null,
    bundle: parsed.bundle ?? null,
  });
}

/** Keys that a manifest may have. */
export function manifestKeys(): readonly string[] {
  return Object.keys(shape("/"));
}

function shape(directory: string) {
  const around = { cwd: () => directory, env: () => "", uid: () => 0, ownerOf: () => null };
  return {
    name: pluginName,
    version,
    apiVersion,
    description: text("text of at most 1000 characters", /^[^\0]{0,1000}$/),
    license: text("an SPDX expression", /^[A-Za-z0-9.+() -]{1,100}$/),
    authors: list(text("an author", /^[^\0]{1,200}$/)),
    capabilities: list(capability),
    dependencies,
    exports: list(text("the name of an export", /^[\p{ID_Start}$][\p{ID_Continue}$]*$/u)),
    tags: list(text("a tag", /^[^\0]{1,64}$/)),
    metadata,
    entry: entryBelow(directory),
    permissions: listsOnly(permissions(around)),
    services,
    limits: limitOptions,
    profile: oneOf(...profileNames),
    bundle: flag,
    $schema: text("the address of a schema"),
  };
}

function required(value: unknown, key: string): unknown {
  if (value !== undefined) return value;
  throw new ConfigError(`Cannot use the manifest as a plugin's: ${quote(key)} is missing`, { path: key });
}

function withoutScope(name: unknown): unknown {
  return typeof name === "string" ? name.replace(/^@[^/]*\//, "") : name;
}

function version(value: unknown, path: string): string {
  if (typeof value === "string" && parseVersion(value) !== null) return value;
  throw invalid(path, "a version", `it is ${quote(value)}`, 'Write three numbers, such as "1.4.0"');
}

function apiVersion(value: unknown, path: string): { readonly major: number; readonly minor: number } {
  const hint = 'Write "1.2" or { "major": 1, "minor": 2 }';
  if (typeof value !== "string") {
    const part = count("a number of a version");
    const { major, minor } = object(value, path, { major: part, minor: part, patch: part });
    if (major !== undefined) return Object.freeze({ major, minor: minor ?? 0 });
    throw invalid(path, "an API version", "its major number is missing", hint);
  }
  const match = /^(0|[1-9]\d{0,5})\.(0|[1-9]\d{0,5})(?:\.(?:0|[1-9]\d{0,5}))?$/.exec(value);
  if (match === null) throw invalid(path, "an API version", `it is ${quote(value)}`, hint);
  return Object.freeze({ major: Number(match[1]), minor: Number(match[2]) });
}

function dependencies(value: unknown, path: string): readonly ManifestDependency[] {
  const parsed = Array.isArray(value)
    ? list((one, at) =>
      dependency(object(one, at, { name: pluginName, version: range, optional: flag }), at)
    )(value, path)
    : entries(value, path).map(([name, one]) => {
      const at = `${path}.${name}`;
      return dependency({ name: pluginName(name, at), version: range(one, at) }, at);
    });
  const names = parsed.map((one) => one.name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) throw invalid(path, "dependencies", `${quote(twice)} stands there twice`);
  return Object.freeze(parsed);
}

function dependency(
  parsed: { readonly name?: string; readonly version?: string; readonly optional?: boolean },
  path: string,
): ManifestDependency {
  if (parsed.name === undefined) throw invalid(path, "a dependency", '"name" is missing');
  return Object.freeze({
    name: parsed.name,
    version: parsed.version ?? "*",
    optional: parsed.optional ?? false,
  });
}

function range(value: unknown, path: string): string {
  if (typeof value === "string" && parseRange(value) !== null) return value;
  throw invalid(path, "a range of versions", `it is ${quote(value)}`, 'Write one such as "^1.2" or ">=1 <3"');
}

function metadata(value: unknown, path: string): Readonly<Record<string, string>> {
  const parsed = entries(value, path).map((
    [key, one],
  ) => [key, text("text", /^[^\0]*$/)(one, `${path}.${key}`)]);
  return Object.freeze(Object.fromEntries(parsed));
}

function services(value: unknown, path: string): Readonly<Record<string, readonly string[] | "all">> {
  const name = text("the name of a service");
  const parsed = Array.isArray(value)
    ? list(name)(value, path).map((one) => [one, "all"] as const)
    : entries(value, path).map((
      [one, methods],
    ) => [one, list(text("the name of a method"))(methods, `${path}.${one}`)]);
  return Object.freeze(Object.fromEntries(parsed));
}

/** What a plugin asks for is a list: where things are mounted and what variables say is the host's decision. */
function listsOnly(parser: Parser<PermissionConfig>): Parser<PermissionConfig> {
  return (value, path) => {
    for (const [key, one] of entries(value, path)) {
      const isWord = one === "host" || one === undefined;
      if (!Array.isArray(one) && !isWord) throw invalid(`${path}.${key}`, "a list", `it is ${quote(one)}`);
    }
    return parser(value, path);
  };
}

function entryBelow(directory: string): Parser<string> {
  return (value, path) => {
    const rule = "a path below the manifest's directory";
    const isPath = typeof value === "string" && value !== "" && !value.includes("\0") &&
      !/^[a-z][a-z0-9+.-]+:/i.test(value);
    if (!isPath) throw invalid(path, rule, `it is ${quote(value)}`);
    const file = resolve(directory, value);
    const below = relative(directory, file);
    if (below.startsWith("..") || isAbsolute(below)) {
      throw invalid(path, rule, `${quote(value)} leads out of it`);
    }
    return pathToFileURL(file).href;
  };
}
