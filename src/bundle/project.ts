/**
 * What the files around a plugin say about it: its root, import map, workspace, lock file and JSX.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BundleError } from "../errors.ts";
import { findConfig, isFile } from "./find_config.ts";
import { EMPTY_IMPORT_MAP, type ImportMap, parseImportMap } from "./import_map.ts";
import { parseJsonc } from "./jsonc.ts";
import { isInside } from "./readable.ts";
import { isMemberOf, memberDirectories } from "./workspace.ts";

/** One deno.json with what it maps. */
export interface Member {
  readonly directory: string;
  readonly importMap: ImportMap;
  /** Package name, if it has one: other members import it by that name. */
  readonly name: string | undefined;
  /** Export key such as `"."` or `"./sub"` → file URL. */
  readonly exports: ReadonlyMap<string, string>;
}

/** Everything that the bundler needs to know besides the code. */
export interface Project {
  /** The only directory whose local files may go into the bundle; a remote plugin has none. */
  readonly root: string | undefined;
  /** Configuration for Deno's resolver. */
  readonly configPath: string | undefined;
  readonly lockPath: string | undefined;
  /** The workspace's members, or the one configuration; the root's last. */
  readonly members: readonly Member[];
  /** `compilerOptions` of the nearest configuration. */
  readonly compilerOptions: Readonly<Record<string, unknown>>;
  /** Bare names that package.json lists. */
  readonly packageJsonNames: ReadonlySet<string>;
  /** Files that all this was read from. */
  readonly files: readonly string[];
  /** Files that would change it if they existed. */
  readonly absent: readonly string[];
}

interface ConfigFile {
  readonly path: string;
  readonly directory: string;
  readonly value: Record<string, unknown>;
}

/**
 * Reads the configuration that governs an entry module.
 *
 * @param entryPath Absolute path of the entry module.
 * @returns What was found.
 * @throws {BundleError} If a configuration file cannot be parsed or names an import map outside its root.
 */
export async function readProject(entryPath: string): Promise<Project> {
  const nearest = await findConfig(dirname(entryPath));
  const packageJson = await findConfig(dirname(entryPath), ["package.json"]);
  const own = nearest.path === undefined ? undefined : await readConfig(nearest.path);
  const workspace = own === undefined ? { root: undefined, absent: [] } : await findWorkspace(own);
  const rootConfig = workspace.root ?? own;
  const manifest = packageJson.path === undefined ? undefined : await readConfig(packageJson.path);
  const root = rootConfig?.directory ?? manifest?.directory ?? dirname(entryPath);
  const configs = rootConfig === undefined ? [] : await memberConfigs(rootConfig, own);
  const members = await Promise.all(configs.map((config) => readMember(config, root)));
  const lock = await findLock(rootConfig, root);
  return {
    root,
    configPath: own?.path,
    lockPath: lock.path,
    members: members.map(({ member }) => member),
    compilerOptions: {
      ...record(rootConfig?.value.compilerOptions),
      ...record(own?.value.compilerOptions),
    },
    packageJsonNames: new Set([
      ...Object.keys(record(manifest?.value.dependencies)),
      ...Object.keys(record(manifest?.value.devDependencies)),
    ]),
    files: unique([
      ...configs.map(({ path }) => path),
      ...members.flatMap(({ files }) => files),
      ...(lock.path === undefined ? [] : [lock.path]),
      ...(manifest === undefined ? [] : [manifest.path]),
    ]),
    absent: unique([...nearest.absent, ...packageJson.absent, ...workspace.absent, ...lock.absent]),
  };
}

/** The workspace that a configuration is a member of, or itself where it declares one. */
async function findWorkspace(
  own: ConfigFile,
): Promise<{ root: ConfigFile | undefined; absent: readonly string[] }> {
  if (own.value.workspace !== undefined) return { root: own, absent: [] };
  const absent: string[] = [];
  for (let directory = own.directory; directory !== dirname(directory);) {
    const above = await findConfig(dirname(directory));
    absent.push(...above.absent);
    if (above.path === undefined) break;
    const config = await readConfig(above.path);
    if (isMemberOf(own.directory, config.directory, config.value.workspace)) return { root: config, absent };
    directory = config.directory;
  }
  return { root: undefined, absent };
}

/** The members with a deno.json, deepest first, and the root at the end. */
async function memberConfigs(root: ConfigFile, own: ConfigFile | undefined): Promise<ConfigFile[]> {
  const found = new Map<string, ConfigFile>();
  if (own !== undefined) found.set(own.path, own);
  for (const directory of await memberDirectories(root.directory, root.value.workspace)) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const path = join(directory, name);
      if (await isFile(path)) found.set(path, await readConfig(path));
    }
  }
  found.delete(root.path);
  const members = [...found.values()].sort((a, b) => b.directory.length - a.directory.length);
  return [...members, root];
}

async function readMember(config: ConfigFile, root: string): Promise<{ member: Member; files: string[] }> {
  const base = pathToFileURL(config.path).href;
  const files: string[] = [];
  let importMap = parseImportMap(config.value, base);
  if (typeof config.value.importMap === "string") {
    const url = new URL(config.value.importMap, base);
    if (url.protocol !== "file:" || !isInside(root, await realPathOf(url))) {
      throw new BundleError(
        `Cannot use the import map "${config.value.importMap}" of "${config.path}" as it must be a file inside "${root}"`,
        { hint: "Move the import map beside the configuration" },
      );
    }
    const file = await readConfig(fileURLToPath(url));
    files.push(file.path);
    importMap = parseImportMap(file.value, url.href);
  }
  const name = typeof config.value.name === "string" ? config.value.name : undefined;
  const exports = new Map<string, string>();
  const declared = config.value.exports;
  for (
    const [key, target] of Object.entries(typeof declared === "string" ? { ".": declared } : record(declared))
  ) {
    if (typeof target === "string") exports.set(key, new URL(target, base).href);
  }
  return {
    member: { directory: config.directory, importMap: importMap ?? EMPTY_IMPORT_MAP, name, exports },
    files,
  };
}

async function realPathOf(url: URL): Promise<string> {
  try {
    return await Deno.realPath(url);
  } catch (cause) {
    throw new BundleError(`Cannot read the import map "${url.href}" as it does not exist`, { cause });
  }
}

async function findLock(
  config: ConfigFile | undefined,
  root: string,
): Promise<{ path: string | undefined; absent: readonly string[] }> {
  if (config === undefined || config.value.lock === false) return { path: undefined, absent: [] };
  const { lock } = config.value;
  const named = typeof lock === "string" ? lock : record(lock).path;
  const path = join(config.directory, typeof named === "string" ? named : "deno.lock");
  if (!await isFile(path)) return { path: undefined, absent: [path] };
  if (isInside(await Deno.realPath(root), await Deno.realPath(path))) return { path, absent: [] };
  throw new BundleError(
    `Cannot use the lock file "${path}" of "${config.path}" as it must be inside "${root}"`,
    { hint: "Keep the lock file beside the configuration" },
  );
}

async function readConfig(path: string): Promise<ConfigFile> {
  try {
    return { path, directory: dirname(path), value: record(parseJsonc(await Deno.readTextFile(path))) };
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new BundleError(`Cannot read the configuration "${path}" as it is not valid: ${reason}`, { cause });
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value)
    ? value as Record<string, unknown>
    : {};
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)];
}
