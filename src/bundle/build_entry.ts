/**
 * Bundles one entry module, or one worker, into one file.
 *
 * @module
 */

import type { BuildOptions, OnLoadResult, OnResolveResult, Plugin, PluginBuild } from "esbuild";
import { fileURLToPath } from "node:url";
import type { BundleContext } from "./bundle_context.ts";
import { bundleError, warningText } from "./bundle_error.ts";
import { COMPILER_OPTIONS } from "./compiler_options.ts";
import { hideHostPaths } from "./hide_host_paths.ts";
import { runEsbuild } from "./esbuild_service.ts";
import { loadBuiltin, loadFile, loadNativeAddOn, loadPluginModule, loadRemote } from "./load_module.ts";
import { resolveImport } from "./resolve_import.ts";

/** What came out. */
export interface BuiltEntry {
  readonly code: Uint8Array;
  /** Source map whose sources are absolute paths or URLs. */
  readonly sourceMap: string;
}

/** Warnings that tell of code which cannot work in a bundle; the others are the packages' own business. */
const TOLD = ["unsupported-require-call", "indirect-require", "unsupported-dynamic-import"];

/**
 * Bundles one module with everything that it imports.
 *
 * @param context The bundling, which collects inputs, assets and workers.
 * @param specifier URL or specifier of the module.
 * @param isMain Whether `import.meta.main` holds in it.
 * @returns The bundle.
 * @throws {BundleError} If something cannot be resolved, read or parsed.
 */
export async function buildEntry(
  context: BundleContext,
  specifier: string,
  isMain: boolean,
): Promise<BuiltEntry> {
  try {
    const plugins = [questions(context, specifier, isMain)];
    const result = await runEsbuild({ ...options(context, isMain), plugins }, context.request.signal);
    for (const message of result.warnings) {
      if (TOLD.includes(message.id)) context.warnings.add(warningText(message));
    }
    const find = (name: string) => result.outputFiles.find(({ path }) => path === name);
    const code = find("/main.js"), map = find("/main.js.map");
    if (code === undefined || map === undefined) {
      throw new Error("Cannot find the output of esbuild as it gave none");
    }
    const text = withNodeInterop(withReadableRequire(hideHostPaths(code.text, context.names)));
    return { code: new TextEncoder().encode(text), sourceMap: withAbsoluteSources(map.text) };
  } catch (error) {
    throw bundleError(specifier.startsWith("file:") ? fileURLToPath(specifier) : specifier, error);
  }
}

function options(context: BundleContext, isMain: boolean) {
  return {
    absWorkingDir: "/",
    entryPoints: [{ in: "cordon-entry", out: "main" }],
    outdir: "/",
    write: false,
    bundle: true,
    format: "esm",
    platform: "neutral",
    target: "esnext",
    supported: { decorators: false },
    mainFields: ["main", "module"],
    conditions: ["deno", "node"],
    resolveExtensions: [".js", ".json", ".mjs", ".cjs", ".ts"],
    define: {
      "import.meta.main": String(isMain),
      "process.env.NODE_ENV": '"production"',
      __dirname: "import.meta.dirname",
      __filename: "import.meta.filename",
    },
    tsconfigRaw: { compilerOptions: compilerOptions(context.project.compilerOptions) },
    keepNames: true,
    charset: "utf8",
    sourcemap: "external",
    sourcesContent: false,
    logLevel: "silent",
    logOverride: Object.fromEntries(TOLD.map((id) => [id, "warning"] as const)),
  } satisfies BuildOptions;
}

function compilerOptions(all: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const chosen = COMPILER_OPTIONS.filter((key) => all[key] !== undefined).map((key) => [key, all[key]]);
  const result: Record<string, unknown> = Object.fromEntries(chosen);
  if (result.jsx === "precompile") result.jsx = "react-jsx";
  return result;
}

/** Answers what esbuild asks about imports and files. */
function questions(context: BundleContext, specifier: string, isMain: boolean): Plugin {
  const entryPath = isMain && specifier.startsWith("file:") ? fileURLToPath(specifier) : undefined;
  return {
    name: "cordon",
    setup(build: PluginBuild): void {
      build.onResolve({ filter: /.*/ }, (args) => {
        const path = args.kind === "entry-point" ? specifier : args.path;
        return resolveAnswer(() => resolveImport(context, build, specifier, { ...args, path }));
      });
      build.onLoad(
        { filter: /.*/, namespace: "file" },
        (args) => loadAnswer(() => loadFile(context, entryPath, args)),
      );
      build.onLoad(
        { filter: /.*/, namespace: "remote" },
        (args) => loadAnswer(() => loadRemote(context, args)),
      );
      build.onLoad({ filter: /.*/, namespace: "builtin" }, loadBuiltin);
      build.onLoad({ filter: /.*/, namespace: "plugin-module" }, loadPluginModule);
      build.onLoad({ filter: /.*/, namespace: "native-add-on" }, (args) => loadNativeAddOn(context, args));
    },
  };
}

/** An error becomes an answer, so that esbuild adds the place of the import; `bundleError()` unpacks it. */
async function resolveAnswer(
  ask: () => Promise<OnResolveResult | undefined>,
): Promise<OnResolveResult | undefined> {
  try {
    return await ask();
  } catch (error) {
    return { errors: [{ text: String(error), detail: error }] };
  }
}

async function loadAnswer(ask: () => Promise<OnLoadResult>): Promise<OnLoadResult> {
  try {
    return await ask();
  } catch (error) {
    return { errors: [{ text: String(error), detail: error }] };
  }
}

/** esbuild's helper says only that dynamic require is not supported; the line count stays the same. */
function withReadableRequire(code: string): string {
  return code.replace(
    `throw Error('Dynamic require of "' + x + '" is not supported');`,
    `throw Error('Cannot require "' + x + '" as plugins are bundled and its name is not known before the code runs: load it with bundle: false');`,
  );
}

/**
 * The default import of a CommonJS module is its `module.exports`, as in Node.js and Deno. esbuild knows that only of
 * modules that it resolved by itself, and for others trusts a marker that compilers leave in the code.
 */
function withNodeInterop(code: string): string {
  return code.replace(/(=>? )__toESM\((require_[\w$]+\(\))\)/g, "$1__toESM($2, 1)");
}

/** Paths are relative to the root directory, and modules that are no files carry their namespace. */
function withAbsoluteSources(text: string): string {
  const map: { sources: string[] } = JSON.parse(text);
  map.sources = map.sources.map((source) => {
    if (source.startsWith("remote:")) return source.slice("remote:".length);
    return /^[a-z-]+:/.test(source) ? source : `/${source}`;
  });
  return JSON.stringify(map);
}
