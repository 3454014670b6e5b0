/**
 * Packages and remote modules of unbundled plugins, in directories that a sandbox can mount.
 *
 * Each directory is named after what it holds: plugins share one only if they depend on exactly the same.
 *
 * @module
 */

import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { BundleError } from "../errors.ts";
import { type BundleContext, sha256 } from "./bundle_context.ts";
import { PLUGIN_MODULE_SOURCE } from "./embedded/plugin_module.ts";
import { isFile } from "./find_config.ts";
import { parseJsonc } from "./jsonc.ts";
import type { LocalModules } from "./local_modules.ts";
import { inheritedEnvironment } from "./module_graph.ts";
import { makeOwnDirectory } from "./own_directory.ts";
import { runtimeConfig } from "./runtime_config.ts";
import type { Dependencies } from "./types.ts";

/** Raised when the same dependencies give another directory than before. */
const FORMAT = 3;

/** The plugin's files are there in every sandbox that has mounts. */
const INSIDE = { root: "file:///app/plugin/", pluginModule: "file:///app/plugin/.cordon/plugin.ts" };

/** Sandboxes may run under another account: it can enter, and list nothing. */
const REACHABLE = 0o711;

/** Deno's notes about what it analysed and compiled; they name paths of the host. */
const NOTES =
  /^(?:gen|v8_code_cache.*|(?:dep_analysis|node_analysis|fast_check|check)_cache.*|latest\.txt|dl)$/;

/**
 * Downloads what a plugin depends on, unless that was done before.
 *
 * @param context The bundling, whose graphs are resolved.
 * @param modules The plugin's own modules.
 * @returns Where everything is. Nobody owns it: it stays in the cache.
 * @throws {BundleError} If something cannot be downloaded.
 */
export async function dependencyCache(context: BundleContext, modules: LocalModules): Promise<Dependencies> {
  const { request, project } = context;
  const root = project.root ?? "/";
  const config = await runtimeConfig(context, modules.pluginSpecifiers, INSIDE);
  const lock = await lockText(project.lockPath);
  const npmrc = registries(context);
  const hosts = remoteHosts(context);
  const contents = await remoteContents(context);
  const packages = context.loadedGraphs().flatMap((graph) => [...graph.packages.keys()]).sort();
  const key = sha256(
    new TextEncoder().encode(
      JSON.stringify([
        FORMAT,
        Deno.version.deno,
        request.dependencyGroup ?? null,
        jsr(),
        config,
        lock,
        npmrc,
        packages,
        contents,
      ]),
    ),
  );
  const parent = request.dependencyDirectory ?? join(request.cacheDirectory, "unbundled");
  const directory = join(parent, key.slice(0, 32));
  makeOwnDirectory(parent, REACHABLE);
  const dependencies = { directory, hosts, root, ...jsr() };
  if (await isComplete(directory)) return dependencies;
  const draft = await Deno.makeTempDir({ dir: parent, prefix: "draft-" });
  try {
    await Deno.writeTextFile(join(draft, "deno.json"), config);
    await Deno.writeTextFile(join(draft, "deno.lock"), lock);
    await download(context, modules, draft);
    await Deno.writeTextFile(join(draft, ".npmrc"), npmrc);
    await makeReadable(draft);
    await keepFromOthers(draft, request.dependencyGroup);
    await publish(draft, directory);
  } catch (error) {
    await Deno.remove(draft, { recursive: true });
    throw error;
  }
  return dependencies;
}

/**
 * Whether a directory of dependencies is there, and whole.
 *
 * @param directory Absolute path.
 * @returns True from the moment at which it got its name.
 */
export async function isComplete(directory: string): Promise<boolean> {
  return await isFile(join(directory, "deno.lock"));
}

/** Runs no lifecycle script and executes no code. The lock file was held against the plugin's own configuration before. */
async function download(context: BundleContext, modules: LocalModules, draft: string): Promise<void> {
  const { request, project } = context;
  const plugin = join(draft, "plugin.ts"), config = join(draft, "host.json");
  const places = {
    root: `${pathToFileURL(project.root ?? "/").href.replace(/\/$/, "")}/`,
    pluginModule: pathToFileURL(plugin).href,
  };
  await Deno.writeTextFile(plugin, PLUGIN_MODULE_SOURCE);
  await Deno.writeTextFile(config, await runtimeConfig(context, modules.pluginSpecifiers, places));
  const credentials = join(project.root ?? "/", ".npmrc");
  if (await isFile(credentials)) await Deno.copyFile(credentials, join(draft, ".npmrc"));
  const { code, stderr } = await new Deno.Command(request.deno, {
    args: [
      "cache",
      "--quiet",
      "--node-modules-dir=none",
      "--vendor=false",
      "--no-check",
      `--config=${config}`,
      `--lock=${join(draft, "deno.lock")}`,
      ...(request.allowImport?.length ? [`--allow-import=${request.allowImport.join(",")}`] : []),
      ...modules.roots,
    ],
    cwd: draft,
    clearEnv: true,
    env: {
      ...inheritedEnvironment(),
      NO_COLOR: "1",
      DENO_NO_UPDATE_CHECK: "1",
      DENO_DIR: join(draft, "deno"),
    },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }).output();
  request.signal?.throwIfAborted();
  if (code !== 0) throw downloadError(request.entry, new TextDecoder().decode(stderr));
  for (const path of [plugin, config]) await Deno.remove(path);
  await withoutLinks(join(draft, "deno.lock"));
  await Deno.mkdir(join(draft, "deno"), { recursive: true });
  for await (const { name } of Deno.readDir(join(draft, "deno"))) {
    if (NOTES.test(name)) await Deno.remove(join(draft, "deno", name), { recursive: true });
  }
}

/** What of a lock file the plugin may read: it could name any file of JSON as its own. */
const LOCK_KEYS = ["version", "specifiers", "jsr", "npm", "redirects", "remote"];

/** The plugin's lock file without what it says about a configuration that is another one here. */
async function lockText(path: string | undefined): Promise<string> {
  const lock = path === undefined ? {} : parseJsonc(await Deno.readTextFile(path)) as Record<string, unknown>;
  const known = LOCK_KEYS.filter((key) => lock[key] !== undefined).map((key) => [key, lock[key]]);
  return JSON.stringify({ version: "5", ...Object.fromEntries(known) });
}

/** The resolver notes that the plugin's own package is a local one, which it is not inside. */
async function withoutLinks(path: string): Promise<void> {
  const { workspace, ...lock } = JSON.parse(await Deno.readTextFile(path)) as Record<string, unknown>;
  const { links: _links, ...rest } = (workspace ?? {}) as Record<string, unknown>;
  const kept = Object.keys(rest).length === 0 ? {} : { workspace: rest };
  await Deno.writeTextFile(path, JSON.stringify({ ...lock, ...kept }));
}

/** Under which registry the runtime looks for a package: no credentials. */
function registries(context: BundleContext): string {
  const lines = new Set<string>();
  for (const graph of context.loadedGraphs()) {
    for (const { name, registryUrl } of graph.packages.values()) {
      if (registryUrl === undefined) continue;
      const url = new URL(registryUrl);
      url.username = url.password = "";
      const scope = /^(@[^/]+)\//.exec(name)?.[1];
      lines.add(`${scope === undefined ? "" : `${scope}:`}registry=${url.href}`);
    }
  }
  return [...lines, ""].sort().join("\n");
}

function jsr(): Pick<Dependencies, "jsrUrl"> {
  const url = URL.parse(Deno.env.get("JSR_URL") ?? "");
  if (url === null) return {};
  url.username = url.password = "";
  return { jsrUrl: url.href };
}

function remoteHosts(context: BundleContext): string[] {
  const hosts = new Set<string>();
  for (const specifier of remoteSpecifiers(context)) {
    const { host, port, protocol } = new URL(specifier);
    hosts.add(port === "" ? `${host}:${protocol === "https:" ? 443 : 80}` : host);
  }
  return [...hosts].sort();
}

/** Names alone would not tell two states of one address apart. */
async function remoteContents(context: BundleContext): Promise<[string, string][]> {
  const found = new Map<string, string>();
  for (const { modules } of context.loadedGraphs()) {
    for (const { specifier, local } of modules.values()) {
      if (!/^https?:/.test(specifier) || local === undefined) continue;
      found.set(specifier, sha256(await Deno.readFile(local)));
    }
  }
  return [...found].sort(([a], [b]) => a < b ? -1 : 1);
}

function remoteSpecifiers(context: BundleContext): string[] {
  return context.loadedGraphs().flatMap(({ modules }) => [...modules.keys()]).filter((specifier) =>
    /^https?:/.test(specifier)
  );
}

/** Sandboxes of a root host run under another account. */
async function makeReadable(path: string): Promise<void> {
  await Deno.chmod(path, 0o755);
  for await (const { name, isDirectory, isFile } of Deno.readDir(path)) {
    const below = join(path, name);
    if (isDirectory) await makeReadable(below);
    else if (isFile) await Deno.chmod(below, 0o644);
    else await Deno.remove(below);
  }
}

/** Private packages are nobody else's business. */
async function keepFromOthers(directory: string, group: number | undefined): Promise<void> {
  if (group !== undefined) await Deno.chown(directory, null, group);
  await Deno.chmod(directory, group === undefined ? 0o700 : 0o750);
}

/** Another load may have made the same directory meanwhile: the content is the same, so whoever is first wins. */
async function publish(draft: string, directory: string): Promise<void> {
  try {
    await Deno.rename(draft, directory);
  } catch (error) {
    if (!await isComplete(directory)) throw error;
    await Deno.remove(draft, { recursive: true });
  }
}

function downloadError(entry: string, stderr: string): BundleError {
  const name = entry.startsWith("file:") ? fileURLToPath(entry) : entry;
  const text = stderr.trim().replace(/^error: /, "").replace(/\s+/g, " ");
  return new BundleError(
    `Cannot download what "${name}" depends on as ${text || "the resolver said nothing"}`,
    {
      hint: "Check the network and the versions that the imports name",
    },
  );
}
