/**
 * The plugin's own files: every local module that its entry and its workers reach, and the files that those name.
 *
 * @module
 */

import { basename, dirname, extname, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BundleError } from "../errors.ts";
import { assetReferences } from "./asset_urls.ts";
import type { BundleContext, ResolvedGraph } from "./bundle_context.ts";
import { moduleError } from "./bundle_error.ts";
import { isFile } from "./find_config.ts";
import type { GraphModule } from "./module_graph.ts";
import { readablePath } from "./readable.ts";
import { isHostModule, isPluginModule } from "./resolve_import.ts";

/** What belongs to a plugin itself. */
export interface LocalModules {
  /** Name of the entry among `files`. */
  readonly entry: string;
  /** Path below the root → contents. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** The entry and its workers, absolute. */
  readonly roots: readonly string[];
  /** Local modules that are imported and not there, absolute. */
  readonly absent: readonly string[];
  /** How the modules spell `@cordon/cordon/plugin`. */
  readonly pluginSpecifiers: ReadonlySet<string>;
}

const SCRIPTS: ReadonlySet<string> = new Set([
  ".ts",
  ".mts",
  ".cts",
  ".tsx",
  ".jsx",
  ".js",
  ".mjs",
  ".cjs",
]);

/**
 * Reads the plugin's own files.
 *
 * @param context The bundling, which keeps the inputs and the packages.
 * @param entry Absolute path of the entry.
 * @returns The files.
 * @throws {BundleError} If a file lies outside of the plugin's root, or is data of a hidden file, or the entry or a
 * worker is no module.
 */
export async function localModules(context: BundleContext, entry: string): Promise<LocalModules> {
  const collected = new Map<string, Uint8Array>();
  const pluginSpecifiers = new Set<string>();
  const absent = new Set<string>();
  const roots = [entry];
  for (const root of roots) {
    const graph = await context.graph(pathToFileURL(root).href);
    for (const { name, version } of graph.packages.values()) context.packages.add(`${name}@${version}`);
    for (const module of graph.modules.values()) {
      notePluginModule(context, module, pluginSpecifiers);
      if (!module.specifier.startsWith("file:")) continue;
      const path = fileURLToPath(module.specifier);
      if (module.error !== undefined) {
        if (path === root) throw moduleError(path, module.error);
        // The runtime says what is wrong with it, if anybody imports it.
        if (await isFile(path)) await addFile(context, collected, path, false);
        else absent.add(path);
        continue;
      }
      for (const named of await addModule(context, collected, path)) {
        if (!roots.includes(named)) roots.push(named);
      }
    }
    warnOfMissing(context, graph);
  }
  await addPackageJson(context, collected);
  return { entry: nameOf(context, entry), files: collected, roots, absent: [...absent], pluginSpecifiers };
}

/** @returns Scripts that the module names as files: workers. */
async function addModule(
  context: BundleContext,
  files: Map<string, Uint8Array>,
  path: string,
): Promise<readonly string[]> {
  if (files.has(nameOf(context, path))) return [];
  const isScript = SCRIPTS.has(extname(path));
  const bytes = await addFile(context, files, path, !isScript);
  const scripts: string[] = [];
  if (!isScript) return scripts;
  for (const { specifier } of assetReferences(new TextDecoder().decode(bytes))) {
    const named = fileURLToPath(new URL(specifier, pathToFileURL(path)).href);
    if (!await isFile(named)) continue;
    if (SCRIPTS.has(extname(named))) scripts.push(named);
    else await addFile(context, files, named, true);
  }
  return scripts;
}

async function addFile(
  context: BundleContext,
  files: Map<string, Uint8Array>,
  path: string,
  isData: boolean,
): Promise<Uint8Array> {
  const roots = { root: context.project.root, packages: context.packageDirectories };
  const bytes = await Deno.readFile(await readablePath(path, roots, isData));
  context.addInput(path, bytes);
  files.set(nameOf(context, path), bytes);
  return bytes;
}

/** It says whether `.js` files are CommonJS. */
async function addPackageJson(context: BundleContext, files: Map<string, Uint8Array>): Promise<void> {
  const path = context.project.files.find((file) => basename(file) === "package.json");
  if (path !== undefined && dirname(path) === context.project.root) await addFile(context, files, path, true);
}

function nameOf(context: BundleContext, path: string): string {
  const name = relative(context.project.root ?? "/", path);
  if (name !== ".." && !name.startsWith("../")) return name;
  throw new BundleError(
    `Cannot load "${path}" unbundled as it lies outside the plugin's root "${context.project.root}"`,
    { hint: "The root is the directory of the nearest deno.json; put the file below it" },
  );
}

function notePluginModule(context: BundleContext, module: GraphModule, specifiers: Set<string>): void {
  if (!module.specifier.startsWith("file:")) return;
  for (const { specifier } of module.dependencies ?? []) {
    if (isPluginModule(context, specifier, module.specifier)) specifiers.add(specifier);
    if (!isHostModule(context, specifier, module.specifier)) continue;
    throw new BundleError(
      `Cannot resolve "${specifier}" imported by "${
        fileURLToPath(module.specifier)
      }" as it is the host's side of Cordon`,
      { hint: 'A plugin imports "@cordon/cordon/plugin"' },
    );
  }
}

/** What cannot be loaded may be optional: whoever reaches the import gets the error then. */
function warnOfMissing(context: BundleContext, { modules }: ResolvedGraph): void {
  for (const { specifier, error } of modules.values()) {
    if (error === undefined || isPluginModule(context, specifier, specifier)) continue;
    context.warnings.add(`Cannot find "${specifier}": ${error.replace(/\s+/g, " ").replace(/\.$/, "")}`);
  }
}
