/**
 * Prepares a plugin whose modules stay as they are: for packages that load code by names which only they compute.
 *
 * @module
 */

import { join } from "node:path";
import { BundleError } from "../errors.ts";
import { bundleHash, readCachedBundle, writeCachedBundle } from "./bundle_cache.ts";
import { BundleContext, sha256 } from "./bundle_context.ts";
import { dependencyCache, isComplete } from "./dependency_cache.ts";
import { PLUGIN_MODULE_SOURCE } from "./embedded/plugin_module.ts";
import { entryFile } from "./entry_file.ts";
import { type LocalModules, localModules } from "./local_modules.ts";
import { nativeAddOnWarnings } from "./native_add_ons.ts";
import { makeOwnDirectory } from "./own_directory.ts";
import { readProject } from "./project.ts";
import type { Bundle, BundleRequest } from "./types.ts";

/** Raised when the same inputs give another result than before. */
const FORMAT = 4;

/** Where the code of `@cordon/cordon/plugin` lies among a plugin's files. */
export const PLUGIN_MODULE_FILE = ".cordon/plugin.ts";

/**
 * Collects a plugin's own modules, and downloads what they import into a cache of their own, which the sandbox can mount.
 *
 * No code of the plugin or of its packages is executed, lifecycle scripts included.
 *
 * @param request What to prepare; its entry is a local file.
 * @returns The plugin's own files, and where its dependencies lie. The caller owns it.
 * @throws {BundleError} If the plugin cannot be found or resolved, or a file must not go into the sandbox.
 */
export async function unbundledPlugin(request: BundleRequest): Promise<Bundle> {
  request.signal?.throwIfAborted();
  makeOwnDirectory(request.cacheDirectory);
  makeOwnDirectory(join(request.cacheDirectory, "bundles"));
  const path = await entryPath(request.entry);
  const key = requestKey(request);
  const cached = await readCachedBundle(request.cacheDirectory, key);
  if (cached?.dependencies !== undefined && await isComplete(cached.dependencies.directory)) return cached;
  const context = new BundleContext(request, await readProject(path));
  try {
    const modules = await localModules(context, path);
    const bundle = await prepare(context, modules);
    await writeCachedBundle(request.cacheDirectory, key, {
      bundle,
      inputs: Object.fromEntries([...context.inputs, ...await hashes(context.project.files)]),
      absent: [...context.project.absent, ...modules.absent],
    });
    return bundle;
  } finally {
    request.signal?.throwIfAborted();
  }
}

function requestKey(request: BundleRequest): string {
  const { entry, allowImport = [], dependencyDirectory = "", dependencyGroup = -1 } = request;
  const place = [dependencyDirectory, dependencyGroup, Deno.env.get("JSR_URL") ?? ""];
  const parts = ["unbundled", FORMAT, entry, allowImport, place, PLUGIN_MODULE_SOURCE];
  return sha256(new TextEncoder().encode(JSON.stringify(parts)));
}

async function entryPath(entry: string): Promise<string> {
  if (entry.startsWith("file:")) return await entryFile(entry);
  throw new BundleError(`Cannot load the plugin "${entry}" unbundled as its entry must be a local file`, {
    hint: "Write a module that imports it, or load it bundled",
  });
}

async function prepare(context: BundleContext, modules: LocalModules): Promise<Bundle> {
  const { project, inputs } = context;
  const dependencies = await dependencyCache(context, modules);
  for (const warning of await nativeAddOnWarnings(context)) context.warnings.add(warning);
  const files = new Map(modules.files);
  if (modules.pluginSpecifiers.size > 0) {
    files.set(PLUGIN_MODULE_FILE, new TextEncoder().encode(PLUGIN_MODULE_SOURCE));
  }
  return {
    entry: modules.entry,
    files,
    sourceMap: "",
    workerMaps: {},
    inputs: [...new Set([...inputs.keys(), ...project.files])].sort(),
    packages: [...context.packages].sort(),
    warnings: [...context.warnings],
    hash: bundleHash(files, "", dependencies),
    dependencies,
  };
}

async function hashes(paths: readonly string[]): Promise<[string, string][]> {
  return await Promise.all(
    paths.map(async (path) => [path, sha256(await Deno.readFile(path))] as [string, string]),
  );
}
