/**
 * Decides what an import in a plugin means: a local file, a package, a built-in module, or an error.
 *
 * @module
 */

import type { OnResolveArgs, OnResolveResult, PluginBuild } from "esbuild";
import { isBuiltin } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BundleError } from "../errors.ts";
import type { BundleContext, ResolvedGraph } from "./bundle_context.ts";
import { isFile } from "./find_config.ts";
import { resolveByMap } from "./import_map.ts";
import { type GraphModule, moduleAt, packageOf } from "./module_graph.ts";
import { ADD_ON_HINT } from "./native_add_ons.ts";
import { packageDirectory } from "./npm_layout.ts";
import { isInside } from "./readable.ts";

/** Modules that are not files have one of these namespaces. */
type Namespace = "remote" | "builtin" | "plugin-module" | "native-add-on";

/** Marks a question of ours to esbuild's own resolver, which must not come back to us. */
const NATIVE = Symbol("native");

/** By its name, or by the URL of the published file. Whatever a server would answer, the plugin gets our code. */
const PLUGIN_MODULE =
  /^(?:jsr:\/?)?@cordon\/cordon(?:@[^/]*)?\/plugin$|^https:\/\/[^/]+\/@cordon\/cordon\/[^/]+\/src\/guest\/mod\.ts$/;
const HOST_MODULE = /^(?:jsr:\/?)?@cordon\/cordon(?:@[^/]*)?(?:\/cli)?$/;

/**
 * Resolves one import.
 *
 * @param context The bundling.
 * @param build esbuild, for its Node.js resolution inside packages.
 * @param root Specifier of the entry or worker that is being bundled.
 * @param args The import.
 * @returns esbuild's answer, `undefined` where its own resolution is right.
 * @throws {BundleError} If the import cannot be resolved or must not be.
 */
export async function resolveImport(
  context: BundleContext,
  build: PluginBuild,
  root: string,
  args: OnResolveArgs,
): Promise<OnResolveResult | undefined> {
  if (args.pluginData === NATIVE) return undefined;
  const importer = importerUrl(args);
  if (importer === undefined && args.kind !== "entry-point") return undefined;
  const question = { context, build, root, args, importer: importer ?? root };
  if (PLUGIN_MODULE.test(args.path)) return { path: "plugin", namespace: "plugin-module" };
  if (args.path.endsWith(".node")) return nativeAddOn(args);
  if (isPackageFile(context, args)) return await fromPackage(question);
  return await fromUserCode(question, args.path);
}

/**
 * Whether an import means the module that plugins import from Cordon.
 *
 * @param context The bundling, for its import maps.
 * @param specifier What the import says.
 * @param importer URL of the importing module.
 * @returns True for `@cordon/cordon/plugin`, also by another name.
 */
export function isPluginModule(context: BundleContext, specifier: string, importer: string): boolean {
  return PLUGIN_MODULE.test(specifier) || PLUGIN_MODULE.test(mappedTarget(context, specifier, importer));
}

/**
 * Whether an import means the host's side of Cordon, which no plugin may import.
 *
 * @param context The bundling, for its import maps.
 * @param specifier What the import says.
 * @param importer URL of the importing module.
 * @returns True for `@cordon/cordon`, also by another name.
 */
export function isHostModule(context: BundleContext, specifier: string, importer: string): boolean {
  return isHostTarget(mappedTarget(context, specifier, importer));
}

/** By its name, or by the URL from which this very code comes: import maps may say either. */
function isHostTarget(target: string): boolean {
  if (HOST_MODULE.test(target)) return true;
  return ["../../mod.ts", "../cli/main.ts"].some((path) => new URL(path, import.meta.url).href === target);
}

function mappedTarget(context: BundleContext, specifier: string, importer: string): string {
  if (!importer.startsWith("file:") || /^\.{0,2}\//.test(specifier)) return specifier;
  return byImportMaps(context, specifier, importer) ?? specifier;
}

interface Question {
  readonly context: BundleContext;
  readonly build: PluginBuild;
  readonly root: string;
  readonly args: OnResolveArgs;
  /** URL of the importing module. */
  readonly importer: string;
}

function importerUrl({ importer, namespace }: OnResolveArgs): string | undefined {
  if (namespace === "remote") return importer;
  return namespace === "file" && importer !== "" ? pathToFileURL(importer).href : undefined;
}

function isPackageFile(context: BundleContext, { importer, namespace }: OnResolveArgs): boolean {
  if (namespace !== "file" || importer === "") return false;
  if (/[\\/]node_modules[\\/]/.test(importer)) return true;
  for (const directory of context.packageDirectories) if (isInside(directory, importer)) return true;
  return false;
}

/** Inside packages Node.js's rules hold; only the directory that bare names are looked up in is ours. */
async function fromPackage(question: Question): Promise<OnResolveResult | undefined> {
  const { context, args } = question;
  const { path } = args;
  if (/^(?:\.{0,2}\/|#|\.{1,2}$)/.test(path)) return undefined;
  if (isBuiltin(path)) return builtin(path, args);
  if (/^data:/.test(path)) return undefined;
  if (/^[a-z][a-z+.-]*:/i.test(path)) throw unresolved(question, `a package may not import "${path}"`);
  for (const graph of context.loadedGraphs()) {
    const owner = packageOf(graph, args.importer);
    if (owner === undefined) continue;
    const found = await resolveNatively(question, path, packageDirectory(graph.layout, owner));
    if (found !== undefined) return found;
  }
  if (args.kind === "import-statement") return undefined;
  return await resolveNatively(question, path, args.resolveDir) ?? optional(context, args);
}

/** Packages ask for others that need not be there; whoever reaches such a line gets an error then. */
function optional(context: BundleContext, args: OnResolveArgs): OnResolveResult {
  const by = context.names.get(args.importer) ?? args.importer;
  context.warnings.add(`Cannot find "${args.path}", which "${by}" asks for; code that needs it will fail`);
  return { path: args.path, external: true };
}

async function fromUserCode(question: Question, path: string): Promise<OnResolveResult | undefined> {
  const { context, args, importer } = question;
  const absolute = /^\.{0,2}\//.test(path) ? new URL(path, importer).href : path;
  const mapped = importer.startsWith("file:") ? byImportMaps(context, absolute, importer) : undefined;
  if (mapped === null) throw unresolved(question, "the import map blocks it");
  const target = mapped ?? absolute;
  if (PLUGIN_MODULE.test(target) || target === new URL("../guest/mod.ts", import.meta.url).href) {
    return { path: "plugin", namespace: "plugin-module" };
  }
  if (isHostTarget(target)) {
    throw unresolved(question, "it is the host's side of Cordon", 'A plugin imports "@cordon/cordon/plugin"');
  }
  if (isBuiltin(target)) return builtin(target, args);
  if (target.startsWith("data:")) return undefined;
  if (target.startsWith("file:")) return await localFile(question, target);
  if (/^(?:npm|jsr|https?):/.test(target)) return await fromGraph(question, target);
  if (/^[a-z][a-z+.-]*:/i.test(target)) {
    throw unresolved(
      question,
      `there is no way to load "${target.slice(0, target.indexOf(":") + 1)}" modules`,
    );
  }
  return await bareName(question, target);
}

/** The importer's own member first, then the workspace's root; then the names of members. */
function byImportMaps(
  context: BundleContext,
  specifier: string,
  importer: string,
): string | null | undefined {
  const { members } = context.project;
  const path = fileURLToPath(importer);
  for (const [index, member] of members.entries()) {
    if (index < members.length - 1 && !isInside(member.directory, path)) continue;
    const target = resolveByMap(member.importMap, specifier, importer);
    if (target !== undefined) return target;
  }
  for (const { name, exports } of members) {
    if (name === undefined || (specifier !== name && !specifier.startsWith(`${name}/`))) continue;
    const target = exports.get(`.${specifier.slice(name.length)}`);
    if (target !== undefined) return target;
  }
  return undefined;
}

async function localFile(question: Question, target: string): Promise<OnResolveResult> {
  if (!question.importer.startsWith("file:")) {
    throw unresolved(question, "remote code may not import local files");
  }
  const url = new URL(target);
  const path = fileURLToPath(url);
  if (await isFile(path)) return { path, suffix: url.search };
  for (const ending of [".ts", ".tsx", ".js", ".mjs", "/mod.ts", "/index.ts"]) {
    const other = path.replace(/\/$/, "") + ending;
    if (await isFile(other)) {
      throw unresolved(question, `there is no file "${path}"`, `Did you mean "${other}"?`);
    }
  }
  throw unresolved(question, `there is no file "${path}"`);
}

/** A name without a scheme: a built package in a node_modules directory, or one that package.json lists. */
async function bareName(question: Question, target: string): Promise<OnResolveResult> {
  const { context, args } = question;
  const installed = args.namespace === "file" && args.resolveDir !== ""
    ? await resolveNatively(question, target, args.resolveDir)
    : undefined;
  if (installed !== undefined) return installed;
  const name = /^(?:@[^/]+\/)?[^/]+/.exec(target)?.[0] ?? target;
  if (context.project.packageJsonNames.has(name) || !question.importer.startsWith("file:")) {
    return await fromGraph(question, target);
  }
  throw unresolved(
    question,
    "no import map, workspace member or installed package has that name",
    `Add "${name}": "npm:${name}" (or jsr:) to "imports" in ${
      context.project.configPath ?? "a deno.json beside it"
    }`,
  );
}

/** What Deno's resolver said about this very import, or about the specifier that our import map gave. */
async function fromGraph(question: Question, target: string): Promise<OnResolveResult> {
  const { context, args, importer, root } = question;
  await context.graph(root);
  for (const graph of context.loadedGraphs()) {
    const stated = graph.modules.get(importer)?.dependencies?.find(({ specifier }) => specifier === args.path)
      ?.code;
    if (stated?.error !== undefined) throw unresolved(question, stated.error);
    if (stated?.specifier !== undefined && isBuiltin(stated.specifier)) {
      return builtin(stated.specifier, args);
    }
    const module = moduleAt(graph, stated?.specifier ?? target);
    if (module !== undefined) return await graphModule(question, graph, module);
  }
  if (!/^(?:npm|jsr|https?):/.test(target)) throw unresolved(question, "Deno's resolver does not know it");
  const graph = await context.graph(target);
  const module = moduleAt(graph, target);
  if (module === undefined) throw unresolved(question, "Deno's resolver does not know it");
  return await graphModule(question, graph, module);
}

async function graphModule(
  question: Question,
  graph: ResolvedGraph,
  module: GraphModule,
): Promise<OnResolveResult> {
  if (module.error !== undefined) throw unresolved(question, module.error.replace(/\.$/, ""));
  if (module.npmPackage === undefined) {
    if (module.local === undefined) throw unresolved(question, "Deno's resolver gave no file for it");
    if (module.specifier.startsWith("file:")) return await localFile(question, module.specifier);
    return { path: module.specifier, namespace: "remote" };
  }
  const found = graph.packages.get(module.npmPackage);
  if (found === undefined) {
    throw unresolved(question, `the package "${module.npmPackage}" is not for this platform`);
  }
  const subpath = module.specifier.slice(`npm:/${found.name}@${found.version}`.length);
  const resolved = await resolveNatively(
    question,
    found.name + subpath,
    packageDirectory(graph.layout, found),
  );
  if (resolved === undefined) {
    throw unresolved(question, `the package "${found.name}@${found.version}" has no such entry point`);
  }
  return resolved;
}

/** esbuild's Node.js resolution: exports, conditions, main, side effects. Symbolic links lead to the real file. */
async function resolveNatively(
  { build, args }: Question,
  path: string,
  resolveDir: string,
): Promise<OnResolveResult | undefined> {
  const kind = args.kind === "entry-point" ? "import-statement" : args.kind;
  const result = await build.resolve(path, { resolveDir, kind, importer: args.importer, pluginData: NATIVE });
  if (result.errors.length > 0 || result.path === "" || result.external) return undefined;
  return {
    path: result.path,
    namespace: result.namespace,
    suffix: result.suffix,
    sideEffects: result.sideEffects,
  };
}

/** `import` leaves the built-in to the runtime; a bundled `require` needs a function that finds it. */
function builtin(specifier: string, args: OnResolveArgs): OnResolveResult {
  const path = specifier.startsWith("node:") ? specifier : `node:${specifier}`;
  return args.kind === "require-call" ? { path, namespace: "builtin" } : { path, external: true };
}

function nativeAddOn(args: OnResolveArgs): OnResolveResult {
  if (args.kind === "require-call") return { path: args.path, namespace: "native-add-on" };
  throw new BundleError(`Cannot bundle "${args.path}" as native add-ons cannot run in a sandbox`, {
    hint: ADD_ON_HINT,
  });
}

function unresolved({ args, importer }: Question, reason: string, hint?: string): BundleError {
  const by = importer.startsWith("file:") ? fileURLToPath(importer) : importer;
  return args.kind === "entry-point"
    ? new BundleError(`Cannot load the plugin "${by}" as ${reason}`, { hint })
    : new BundleError(`Cannot resolve "${args.path}" imported by "${by}" as ${reason}`, { hint });
}
