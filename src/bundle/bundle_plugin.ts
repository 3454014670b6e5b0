/**
 * Turns a plugin's entry module and all that it imports into one file.
 *
 * @module
 */

import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { buildEntry } from "./build_entry.ts";
import { bundleHash, readCachedBundle, writeCachedBundle } from "./bundle_cache.ts";
import { BundleContext, sha256 } from "./bundle_context.ts";
import { PLUGIN_MODULE_SOURCE } from "./embedded/plugin_module.ts";
import { entryFile } from "./entry_file.ts";
import { nativeAddOnWarnings } from "./native_add_ons.ts";
import { makeOwnDirectory } from "./own_directory.ts";
import { type Project, readProject } from "./project.ts";
import type { Bundle, BundleRequest } from "./types.ts";

/** Raised when the same inputs give another bundle than before. */
const FORMAT = 3;

/**
 * Bundles a plugin on the host, so that its sandbox needs neither network nor cache.
 *
 * An unchanged plugin comes from the cache without starting anything. Otherwise esbuild runs, and Deno's resolver beside
 * it only if the plugin imports `npm:`, `jsr:` or `https:` modules. No code of the plugin or of its packages is executed.
 *
 * @param request What to bundle.
 * @returns The bundle. The caller owns it.
 * @throws {BundleError} If the plugin cannot be found, resolved, parsed or bundled.
 */
export async function bundlePlugin(request: BundleRequest): Promise<Bundle> {
  request.signal?.throwIfAborted();
  makeOwnDirectory(request.cacheDirectory);
  makeOwnDirectory(join(request.cacheDirectory, "bundles"));
  const key = requestKey(request);
  const cached = await readCachedBundle(request.cacheDirectory, key);
  if (cached !== undefined) return cached;
  const project = await projectOf(request.entry);
  const context = new BundleContext(request, project);
  const bundle = await unlessAborted(request.signal, () => build(context));
  await writeCachedBundle(request.cacheDirectory, key, {
    bundle,
    inputs: Object.fromEntries([...context.inputs, ...await hashes(project.files)]),
    absent: project.absent,
  });
  return bundle;
}

function requestKey({ entry, isMain = false, allowImport = [] }: BundleRequest): string {
  return sha256(
    new TextEncoder().encode(JSON.stringify([FORMAT, entry, isMain, allowImport, PLUGIN_MODULE_SOURCE])),
  );
}

async function projectOf(entry: string): Promise<Project> {
  if (!entry.startsWith("file:")) return EMPTY_PROJECT;
  return await readProject(await entryFile(entry));
}

/** A remote plugin has no files of this machine. */
const EMPTY_PROJECT: Project = Object.freeze({
  root: undefined,
  configPath: undefined,
  lockPath: undefined,
  members: [],
  compilerOptions: {},
  packageJsonNames: new Set<string>(),
  files: [],
  absent: [],
});

async function build(context: BundleContext): Promise<Bundle> {
  const { request, project } = context;
  const { code, sourceMap } = await buildEntry(context, request.entry, request.isMain ?? false);
  const files = new Map<string, Uint8Array>([["main.js", code]]);
  // A worker may name further workers, which the map then yields too.
  const workerMaps: Record<string, string> = {};
  for (const [path, name] of context.workers) {
    request.signal?.throwIfAborted();
    const worker = await buildEntry(context, pathToFileURL(path).href, false);
    files.set(name, worker.code);
    workerMaps[name] = worker.sourceMap;
  }
  for (const [name, bytes] of context.assets) files.set(name, bytes);
  for (const warning of await nativeAddOnWarnings(context)) context.warnings.add(warning);
  return {
    entry: "main.js",
    files,
    sourceMap,
    workerMaps,
    inputs: [...new Set([...context.inputs.keys(), ...project.files])].sort(),
    packages: [...context.packages].sort(),
    warnings: [...context.warnings],
    hash: bundleHash(files, sourceMap),
  };
}

/** Whatever an abort breaks on its way, its reason is the error. */
async function unlessAborted<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } finally {
    signal?.throwIfAborted();
  }
}

async function hashes(paths: readonly string[]): Promise<[string, string][]> {
  return await Promise.all(
    paths.map(async (path) => [path, sha256(await Deno.readFile(path))] as [string, string]),
  );
}
