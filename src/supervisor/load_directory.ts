/**
 * Loads every plugin of a directory, dependencies first.
 *
 * @module
 */

import { join } from "node:path";
import type { PluginManifest } from "../config/mod.ts";
import { invalid } from "../config/parse.ts";
import { path } from "../config/path.ts";
import { quote } from "../util/quote.ts";
import { dependencyOrder } from "./dependency_order.ts";
import { readManifest } from "./find_manifest.ts";
import type { Plugin } from "./types.ts";

const asPath = path(() => Deno.cwd());

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
 * @param directory Path; each directory in it that has a manifest is a plugin.
 * @param load Loads one of them.
 * @returns What was loaded and what was not.
 * @throws {ConfigError} If it is no directory, two plugins have one name, or dependencies are missing, of another version,
 * or a circle: then nothing was loaded.
 */
export async function loadDirectory(
  directory: string,
  load: (manifest: PluginManifest) => Promise<Plugin>,
): Promise<LoadedDirectory> {
  const { manifests, failed } = await manifestsIn(asPath(directory, "directory"));
  const loaded: Plugin[] = [];
  for (const manifest of dependencyOrder(manifests)) {
    try {
      loaded.push(await load(manifest));
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
  for (const entry of await entriesOf(directory)) {
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

async function entriesOf(directory: string): Promise<Deno.DirEntry[]> {
  try {
    return await Array.fromAsync(Deno.readDir(directory));
  } catch (error) {
    const isMissing = error instanceof Deno.errors.NotFound;
    if (!isMissing && !(error instanceof Deno.errors.NotADirectory)) throw error;
    throw invalid(
      "directory",
      "a directory of plugins",
      `${quote(directory)} ${isMissing ? "does not exist" : "is a file"}`,
    );
  }
}
