/**
 * Loads every plugin of a directory, dependencies first.
 *
 * @module
 */

import { join } from "node:path";
import type { PluginManifest } from "../config/mod.ts";
import { ConfigError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { checkApiVersion, dependencyOrder } from "./dependency_order.ts";
import { readManifest } from "./find_manifest.ts";
import type { Plugin } from "./types.ts";

/** Version of the interface that plugins are written against. */
const hostApi = Object.freeze({ major: 1, minor: 0 });

/** What became of the plugins of a directory. */
export interface LoadedDirectory {
  /** In the order of loading: dependencies first. */
  readonly loaded: readonly Plugin[];
  /** Those that could not be loaded, and those that need one of them. */
  readonly failed: readonly { readonly name: string; readonly error: unknown }[];
}

/**
 * Finds and loads plugins.
 *
 * @param directory Absolute path; each directory in it that has a manifest is a plugin.
 * @param load Loads one of them.
 * @returns What was loaded and what was not.
 * @throws {ConfigError} If two plugins have one name, or dependencies are missing, of another version, or a circle: then
 * nothing was loaded.
 */
export async function loadDirectory(
  directory: string,
  load: (manifest: PluginManifest) => Promise<Plugin>,
): Promise<LoadedDirectory> {
  const { manifests, failed } = await manifestsIn(directory);
  const loaded: Plugin[] = [];
  const names = new Set<string>();
  for (const manifest of dependencyOrder(manifests)) {
    try {
      checkApiVersion(manifest, hostApi);
      checkDependencies(manifest, names);
      loaded.push(await load(manifest));
      names.add(manifest.name);
    } catch (error) {
      failed.push({ name: manifest.name, error });
    }
  }
  return Object.freeze({ loaded: Object.freeze(loaded), failed: Object.freeze(failed) });
}

async function manifestsIn(
  directory: string,
): Promise<{ readonly manifests: PluginManifest[]; readonly failed: { name: string; error: unknown }[] }> {
  const manifests: PluginManifest[] = [];
  const failed: { name: string; error: unknown }[] = [];
  const names: string[] = [];
  for await (const entry of Deno.readDir(directory)) {
    if (entry.isDirectory || entry.isSymlink) names.push(entry.name);
  }
  for (const name of names.sort()) {
    try {
      const manifest = readManifest(join(directory, name));
      if (manifest !== null && manifest !== undefined) manifests.push(manifest);
    } catch (error) {
      failed.push({ name, error });
    }
  }
  return { manifests, failed };
}

function checkDependencies(manifest: PluginManifest, loaded: ReadonlySet<string>): void {
  const missing = manifest.dependencies.find(({ name, optional }) => !optional && !loaded.has(name));
  if (missing === undefined) return;
  throw new ConfigError(
    `Cannot load plugin ${quote(manifest.name)} as its dependencies ask: ${
      quote(missing.name)
    } was not loaded`,
    { path: "dependencies" },
  );
}
