/**
 * One flat deno.json that means the same as a plugin's configuration, workspace and package.json together.
 *
 * @module
 */

import { basename } from "node:path";
import { pathToFileURL } from "node:url";
import type { BundleContext } from "./bundle_context.ts";
import { COMPILER_OPTIONS } from "./compiler_options.ts";
import type { ImportMap } from "./import_map.ts";
import { parseJsonc } from "./jsonc.ts";

/** Where the runtime finds the plugin. */
export interface RuntimePlaces {
  /** URL of the directory that stands for the plugin's root, with a slash at the end. */
  readonly root: string;
  /** URL of the module that plugins import from Cordon. */
  readonly pluginModule: string;
}

type Entries = Record<string, string | null>;

/**
 * Writes the configuration.
 *
 * @param context The bundling.
 * @param pluginSpecifiers How the modules spell `@cordon/cordon/plugin`.
 * @param places Where the runtime finds the plugin.
 * @returns Contents of a deno.json.
 */
export async function runtimeConfig(
  { project }: BundleContext,
  pluginSpecifiers: ReadonlySet<string>,
  places: RuntimePlaces,
): Promise<string> {
  const base = `${pathToFileURL(project.root ?? "/").href.replace(/\/$/, "")}/`;
  const moved = (url: string): string => url.startsWith(base) ? places.root + url.slice(base.length) : url;
  const plugin = Object.fromEntries([...pluginSpecifiers].map((name) => [name, places.pluginModule]));
  const own = (entries: ImportMap["imports"]): Entries => ({
    ...Object.fromEntries(entries.map(([key, target]) => [moved(key), target && moved(target)])),
    ...plugin,
  });
  const root = project.members.at(-1);
  const scopes: Record<string, Entries> = {};
  const addScope = (prefix: string, entries: ImportMap["imports"]): void => {
    scopes[prefix] = { ...scopes[prefix], ...own(entries) };
  };
  for (const member of project.members.toReversed()) {
    const directory = `${moved(pathToFileURL(member.directory).href)}/`;
    if (member !== root) addScope(directory, member.importMap.imports);
    for (const [prefix, entries] of member.importMap.scopes) addScope(moved(prefix), entries);
  }
  const names = project.members.flatMap(({ name, exports }) =>
    name === undefined
      ? []
      : [...exports].map(([key, target]) => [name + key.slice(1), moved(target)] as const)
  );
  const imports = {
    ...await packageJsonImports(project.files),
    ...Object.fromEntries(names),
    ...own(root?.importMap.imports ?? []),
  };
  return JSON.stringify({ imports, scopes, compilerOptions: chosen(project.compilerOptions) });
}

function chosen(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(
    COMPILER_OPTIONS.filter((key) => options[key] !== undefined).map((key) => [key, options[key]]),
  );
}

/** `"a": "^1"` of a package.json, as an import map says it. */
async function packageJsonImports(files: readonly string[]): Promise<Record<string, string>> {
  const path = files.find((file) => basename(file) === "package.json");
  if (path === undefined) return {};
  const { dependencies = {}, devDependencies = {} } = parseJsonc(await Deno.readTextFile(path)) as {
    readonly dependencies?: Readonly<Record<string, string>>;
    readonly devDependencies?: Readonly<Record<string, string>>;
  };
  const entries = Object.entries({ ...devDependencies, ...dependencies }).flatMap(([name, range]) => {
    if (/^(?:npm|jsr):/.test(range)) return [[name, range]];
    return /^[a-z]+:|\//.test(range) ? [] : [[name, `npm:${name}@${range}`]];
  });
  return Object.fromEntries(entries);
}
