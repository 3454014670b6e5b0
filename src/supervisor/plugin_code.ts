/**
 * What runs in a process of a plugin: one file, or modules as they are.
 *
 * @module
 */

import { bundlePlugin } from "../bundle/bundle_plugin.ts";
import type { Bundle, BundleRequest } from "../bundle/types.ts";
import { PLUGIN_MODULE_FILE, unbundledPlugin } from "../bundle/unbundled_plugin.ts";
import { mapStack, parseSourceMap, type SourceMap } from "../util/source_map.ts";
import { dependencyDirectory } from "./dependency_directory.ts";
import type { StartRequest } from "./start_sandbox.ts";

/**
 * Make a plugin one file.
 *
 * @param start What is started.
 * @returns The bundle.
 * @throws {BundleError} If the code cannot be bundled.
 */
export async function bundledCode(start: StartRequest): Promise<Bundle> {
  return await bundlePlugin(bundleRequest(start));
}

/**
 * Leave a plugin's modules as they are.
 *
 * @param start What is started.
 * @returns Its files, and where its dependencies lie.
 * @throws {BundleError} If the code cannot be prepared.
 */
export async function unbundledCode(start: StartRequest): Promise<Bundle> {
  const { runAs } = start.policy;
  return await unbundledPlugin({
    ...bundleRequest(start),
    dependencyDirectory: await dependencyDirectory(start.context),
    ...(runAs === null ? {} : { dependencyGroup: runAs.gid }),
  });
}

/**
 * Turns places in the files of a sandbox into places in the plugin's sources.
 *
 * @param bundle What runs.
 * @param plugin Directory of the files inside.
 * @param entry The entry inside, as stacks name it.
 * @returns A function that rewrites stacks.
 */
export function stackRewriter(bundle: Bundle, plugin: string, entry: string): (stack: string) => string {
  const { dependencies } = bundle;
  // Unbundled modules keep their names below the plugin's root, and the runtime maps their lines by itself.
  if (dependencies !== undefined) {
    return (stack) => stack.replaceAll(`${plugin}/`, `${dependencies.root.replace(/\/$/, "")}/`);
  }
  const scripts = [
    scriptRewriter(entry, bundle.sourceMap),
    ...Object.entries(bundle.workerMaps).map(([name, map]) => scriptRewriter(`${plugin}/${name}`, map)),
  ];
  return (stack) => scripts.reduce((text, rewrite) => rewrite(text), stack);
}

/** Most processes never have a stack to map, and the map of a large bundle takes longer to parse than a start. */
function scriptRewriter(script: string, sourceMap: string): (stack: string) => string {
  let map: SourceMap | undefined;
  return (stack) =>
    stack.includes(script) ? mapStack(stack, map ??= parseSourceMap(sourceMap), script) : stack;
}

/**
 * Whether the code of `@cordon/cordon/plugin` is in it: only such a plugin can ask for its current call.
 *
 * @param bundle What runs.
 * @returns True if it is.
 */
export function usesHost(bundle: Bundle): boolean {
  if (bundle.dependencies !== undefined) return bundle.files.has(PLUGIN_MODULE_FILE);
  const code = bundle.files.get(bundle.entry);
  return code !== undefined && new TextDecoder().decode(code).includes("cordon.guest");
}

function bundleRequest({ config, context, isScript, signal }: StartRequest): BundleRequest {
  return {
    entry: config.entry,
    cacheDirectory: context.config.cacheDirectory,
    deno: context.runtime.deno.path,
    isMain: isScript,
    ...(signal === undefined ? {} : { signal }),
  };
}
