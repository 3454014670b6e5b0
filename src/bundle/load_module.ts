/**
 * Reads the modules that go into a bundle: the only place where a plugin's files are opened.
 *
 * @module
 */

import type { Loader, OnLoadArgs, OnLoadResult } from "esbuild";
import { dirname, extname } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BundleError } from "../errors.ts";
import { assetReferences, replaceReferences } from "./asset_urls.ts";
import type { BundleContext } from "./bundle_context.ts";
import { PLUGIN_MODULE_SOURCE } from "./embedded/plugin_module.ts";
import { isFile } from "./find_config.ts";
import { ADD_ON_HINT } from "./native_add_ons.ts";
import { readablePath } from "./readable.ts";
import { withReadableMaps } from "./source_map_comments.ts";
import { wasmModule } from "./wasm_module.ts";

const LOADERS: Readonly<Record<string, Loader>> = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".jsx": "jsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".json": "json",
};

/** A plugin can name a file of any size; the host would hold all of it in memory. */
const MAX_FILE_BYTES = 64 * 1024 * 1024;

/** Loaders by what Deno calls the type of a remote module. */
const REMOTE_LOADERS: Readonly<Record<string, Loader>> = {
  TypeScript: "ts",
  Mts: "ts",
  Cts: "ts",
  TSX: "tsx",
  JSX: "jsx",
  JavaScript: "js",
  Mjs: "js",
  Cjs: "js",
  Json: "json",
  Wasm: "binary",
};

/**
 * Reads a file of the plugin or of one of its packages.
 *
 * @param context The bundling.
 * @param entryPath Path of the module for which `import.meta.main` holds, if there is one.
 * @param args What esbuild asks for.
 * @returns The code.
 * @throws {BundleError} If the file may not go into a bundle or is of no known kind.
 */
export async function loadFile(
  context: BundleContext,
  entryPath: string | undefined,
  args: OnLoadArgs,
): Promise<OnLoadResult> {
  const extension = extname(args.path).toLowerCase();
  const loader = loaderFor(args, LOADERS[extension] ?? (extension === ".wasm" ? "binary" : undefined));
  const isCode = loader === "ts" || loader === "tsx" || loader === "js" || loader === "jsx";
  const roots = { root: context.project.root, packages: context.packageDirectories };
  const bytes = await readBounded(await readablePath(args.path, roots, !isCode));
  context.addInput(args.path, bytes);
  const resolveDir = dirname(args.path);
  if (extension === ".wasm" && args.with.type === undefined) {
    return { contents: wasmSource(args.path, bytes), loader: "js", resolveDir };
  }
  if (!isCode) return { contents: bytes, loader, resolveDir };
  const source = await withReadableMaps(new TextDecoder().decode(bytes), args.path, roots);
  const rewritten = await placeAssets(context, args.path, source);
  return { contents: args.path === entryPath ? rewritten : notMain(rewritten), loader, resolveDir };
}

/**
 * Reads a module that Deno downloaded.
 *
 * @param context The bundling.
 * @param args What esbuild asks for; the path is the module's URL.
 * @returns The code.
 * @throws {BundleError} If the module is of no known kind.
 */
export async function loadRemote(context: BundleContext, args: OnLoadArgs): Promise<OnLoadResult> {
  for (const { modules } of context.loadedGraphs()) {
    const module = modules.get(args.path);
    if (module?.local === undefined) continue;
    const bytes = (await Deno.readFile(module.local)).subarray(0, module.size);
    if (module.mediaType === "Wasm" && args.with.type === undefined) {
      return { contents: wasmSource(args.path, bytes), loader: "js" };
    }
    const loader = loaderFor(args, REMOTE_LOADERS[module.mediaType ?? ""]);
    const isData = loader === "json" || loader === "text" || loader === "binary";
    return { contents: isData ? bytes : notMain(new TextDecoder().decode(bytes)), loader };
  }
  throw new BundleError(`Cannot bundle "${args.path}" as Deno's resolver gave no file for it`);
}

/**
 * Gives a bundled `require("fs")` the runtime's module, when it is reached and not before.
 *
 * @param args What esbuild asks for; the path begins with `node:`.
 * @returns The code.
 */
export function loadBuiltin(args: OnLoadArgs): OnLoadResult {
  const path = JSON.stringify(args.path);
  return { contents: `module.exports = globalThis.process.getBuiltinModule(${path});`, loader: "js" };
}

/**
 * Gives the code of `@cordon/cordon/plugin`.
 *
 * @returns The code that is shipped with this package.
 */
export function loadPluginModule(): OnLoadResult {
  return { contents: PLUGIN_MODULE_SOURCE, loader: "ts" };
}

/**
 * Stands for a native add-on: packages with a fallback catch the error, others fail with a reason.
 *
 * @param context The bundling, which keeps the warning.
 * @param args What esbuild asks for.
 * @returns The code.
 */
export function loadNativeAddOn(context: BundleContext, args: OnLoadArgs): OnLoadResult {
  const message = `Cannot load "${args.path}" as native add-ons cannot run in a sandbox`;
  context.warnings.add(`${message}. ${ADD_ON_HINT}`);
  return { contents: `throw new Error(${JSON.stringify(`${message}. ${ADD_ON_HINT}`)});`, loader: "js" };
}

function loaderFor(args: OnLoadArgs, byKind: Loader | undefined): Loader {
  const { type } = args.with;
  if (type === "text") return "text";
  if (type === "bytes") return "binary";
  if (type !== undefined && type !== "json") {
    throw new BundleError(`Cannot bundle "${args.path}" as "${type}" is no type that Deno imports`);
  }
  if (byKind !== undefined) return byKind;
  throw new BundleError(`Cannot bundle "${args.path}" as its extension is not that of a module`, {
    hint:
      'Import it with { type: "text" } or { type: "bytes" }; if a package asks for it, load the plugin with bundle: false',
  });
}

function wasmSource(path: string, bytes: Uint8Array<ArrayBuffer>): string {
  const file = path.startsWith("/") ? pathToFileURL(path).href : path;
  try {
    return wasmModule(bytes, `./${file.slice(file.lastIndexOf("/") + 1)}`);
  } catch (cause) {
    throw new BundleError(`Cannot bundle "${path}" as it is not valid WebAssembly`, { cause });
  }
}

/** Copies the files that a module names beside the bundle, and has its scripts bundled separately. */
async function placeAssets(context: BundleContext, path: string, source: string): Promise<string> {
  const roots = { root: context.project.root, packages: context.packageDirectories };
  const replacements = [];
  for (const reference of assetReferences(source)) {
    const file = fileURLToPath(new URL(reference.specifier, pathToFileURL(path)).href);
    if (!await isFile(file)) continue;
    const loader = LOADERS[extname(file)];
    const isScript = loader !== undefined && loader !== "json";
    const real = await readablePath(file, roots, !isScript);
    const name = isScript ? context.addWorker(file) : await placeAsset(context, file, real);
    replacements.push({ reference, by: `./${name}` });
  }
  return replaceReferences(source, replacements);
}

async function placeAsset(context: BundleContext, file: string, real: string): Promise<string> {
  const bytes = await readBounded(real);
  context.addInput(file, bytes);
  return context.addAsset(file, bytes);
}

async function readBounded(path: string): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await Deno.stat(path);
  if (size <= MAX_FILE_BYTES) return await Deno.readFile(path);
  throw new BundleError(
    `Cannot bundle "${path}" as files of more than ${MAX_FILE_BYTES} bytes stay out: ${size}`,
    {
      hint: "Grant the plugin read access to the file, or hand its contents over as a tensor",
    },
  );
}

/** Only the entry of a script is the main module. Blanks keep the columns of the line. */
function notMain(source: string): string {
  return source.replace(/\bimport\.meta\.main\b/g, "false           ");
}
