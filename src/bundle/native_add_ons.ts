/**
 * Finds packages that bring machine code, which no sandbox loads.
 *
 * @module
 */

import { join } from "node:path";
import type { BundleContext } from "./bundle_context.ts";
import { isFile } from "./find_config.ts";
import type { NpmPackage } from "./module_graph.ts";

/** What to do about a native add-on. */
export const ADD_ON_HINT =
  "Use a WebAssembly or pure JavaScript build of the package, or offer the work as a service";

/** What packages with an add-on do when they are installed; here it is never done. */
const BUILDS = /node-gyp|node-pre-gyp|prebuild|cmake-js|neon|napi/;

/**
 * Names the packages of a plugin that have a native add-on. Some work without it.
 *
 * @param context The bundling; its packages are known.
 * @returns One sentence for each.
 */
export async function nativeAddOnWarnings(context: BundleContext): Promise<string[]> {
  const found = new Set<string>();
  for (const { packages } of context.loadedGraphs()) {
    for (const one of packages.values()) {
      const id = `${one.name}@${one.version}`;
      if (context.packages.has(id) && await hasAddOn(one)) found.add(id);
    }
  }
  return [...found].map((id) =>
    `The package "${id}" has a native add-on, which cannot run in a sandbox, bundled or not: it needs FFI. ${ADD_ON_HINT}`
  );
}

async function hasAddOn({ localPath }: NpmPackage): Promise<boolean> {
  if (await isFile(join(localPath, "binding.gyp"))) return true;
  const { main, exports, scripts } = JSON.parse(await Deno.readTextFile(join(localPath, "package.json")));
  return /\.node"/.test(JSON.stringify([main, exports])) ||
    BUILDS.test(`${scripts?.install ?? ""} ${scripts?.preinstall ?? ""} ${scripts?.postinstall ?? ""}`);
}
