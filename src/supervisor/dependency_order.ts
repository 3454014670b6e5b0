/**
 * Orders plugins so that each comes after what it depends on.
 *
 * @module
 */

import type { PluginManifest } from "../config/mod.ts";
import { ConfigError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";
import { quote } from "../util/quote.ts";
import { parseRange, parseVersion } from "../util/semver.ts";

/** An API version, as far as compatibility depends on it. */
export interface ApiVersion {
  readonly major: number;
  readonly minor: number;
}

/** Version of the interface that plugins of this host are written against. */
export const hostApi: ApiVersion = Object.freeze({ major: 1, minor: 0 });

/**
 * Refuses a plugin whose dependencies are not there.
 *
 * @param manifest The plugin's.
 * @param loaded Manifests of the plugins that are loaded.
 * @throws {ConfigError} If one that is not optional is missing, or one is there in another version only.
 */
export function checkDependencies(manifest: PluginManifest, loaded: readonly PluginManifest[]): void {
  for (const { name, version, optional } of manifest.dependencies) {
    const found = loaded.filter((one) => one.name === name);
    const asks = `Cannot load plugin ${quote(manifest.name)} as its dependencies ask`;
    if (found.length === 0) {
      if (optional) continue;
      const hint = `Load ${quote(name)} first, or all of a directory by loadDirectory()`;
      throw new ConfigError(`${asks}: ${quote(name)} was not loaded`, { path: "dependencies", hint });
    }
    if (found.some((one) => satisfies(one, version))) continue;
    const versions = found.map((one) => one.version).join(", ");
    throw new ConfigError(`${asks}: it needs ${quote(name)} ${version}, loaded is ${versions}`, {
      path: "dependencies",
    });
  }
}

/**
 * Orders manifests.
 *
 * @param manifests Any number of them, in any order.
 * @returns The same, dependencies first; what does not depend on each other stands by name.
 * @throws {ConfigError} If two have one name, a dependency is missing or of another version, or they depend on each other
 * in a circle.
 */
export function dependencyOrder(manifests: readonly PluginManifest[]): readonly PluginManifest[] {
  const byName = uniqueNames(manifests);
  const ordered = new Set<PluginManifest>();
  const visit = (manifest: PluginManifest, path: readonly PluginManifest[]): void => {
    if (ordered.has(manifest)) return;
    if (path.includes(manifest)) throw circleError([...path.slice(path.indexOf(manifest)), manifest]);
    for (const needed of requirements(manifest, byName)) visit(needed, [...path, manifest]);
    ordered.add(manifest);
  };
  for (const manifest of [...byName.values()].sort((a, b) => a.name < b.name ? -1 : 1)) visit(manifest, []);
  return [...ordered];
}

/**
 * Refuses a plugin that was made for another API.
 *
 * @param manifest The plugin's.
 * @param host The API version of the host.
 * @throws {ConfigError} If the major versions differ, or the plugin needs a newer minor version. Names both.
 */
export function checkApiVersion(manifest: PluginManifest, host: ApiVersion): void {
  const { apiVersion, name, file } = manifest;
  if (apiVersion === null) return;
  if (apiVersion.major === host.major && apiVersion.minor <= host.minor) return;
  const needed = `${apiVersion.major}.${apiVersion.minor}`;
  const offered = `${host.major}.${host.minor}`;
  throw new ConfigError(
    `Cannot load plugin ${
      quote(name)
    } as one for this host: it needs API ${needed}, the host offers ${offered}`,
    {
      path: "apiVersion",
      hint: apiVersion.major === host.major ? "Use a newer host" : `Adapt ${quote(file)} to API ${offered}`,
    },
  );
}

function uniqueNames(manifests: readonly PluginManifest[]): Map<string, PluginManifest> {
  const byName = new Map<string, PluginManifest>();
  for (const manifest of manifests) {
    const other = byName.get(manifest.name);
    if (other !== undefined) {
      throw new ConfigError(
        `Cannot use ${quote(manifest.name)} as the name of a plugin: ${quote(other.file)} and ${
          quote(manifest.file)
        } both do`,
        { path: "name", hint: "Rename one of them" },
      );
    }
    byName.set(manifest.name, manifest);
  }
  return byName;
}

function requirements(
  manifest: PluginManifest,
  byName: ReadonlyMap<string, PluginManifest>,
): PluginManifest[] {
  const found: PluginManifest[] = [];
  for (const { name, version, optional } of manifest.dependencies) {
    const dependency = byName.get(name);
    if (dependency === undefined) {
      if (optional) continue;
      throw missingError(manifest, name, version, [...byName.keys()]);
    }
    if (!satisfies(dependency, version)) {
      throw new ConfigError(
        `Cannot load plugin ${quote(manifest.name)} as its dependencies ask: it needs ${
          quote(name)
        } ${version}, ` +
          `${quote(dependency.file)} is ${dependency.version}`,
        { path: "dependencies" },
      );
    }
    found.push(dependency);
  }
  return found;
}

function satisfies(dependency: PluginManifest, range: string): boolean {
  const parsed = parseVersion(dependency.version);
  return parsed !== null && parseRange(range)?.(parsed) === true;
}

function missingError(
  manifest: PluginManifest,
  name: string,
  version: string,
  known: readonly string[],
): ConfigError {
  const close = nearest(name, known);
  return new ConfigError(
    `Cannot load plugin ${quote(manifest.name)} as its dependencies ask: it needs ${
      quote(name)
    } ${version}, which is not there`,
    { path: "dependencies", hint: close === null ? undefined : `Did you mean ${quote(close)}?` },
  );
}

function circleError(circle: readonly PluginManifest[]): ConfigError {
  const names = circle.map(({ name }) => quote(name)).join(" needs ");
  return new ConfigError(`Cannot order plugins by their dependencies: ${names}`, { path: "dependencies" });
}
