/**
 * Deno's own resolution of a module and everything that it imports, with the paths in Deno's cache.
 *
 * `deno info --json` downloads and checks what is missing, runs no lifecycle script and executes no code.
 *
 * @module
 */

import { dirname } from "node:path";
import { BundleError } from "../errors.ts";
import { isInside } from "./readable.ts";

/** A module as `deno info --json` lists it. */
export interface GraphModule {
  readonly specifier: string;
  readonly kind?: string;
  /** Path in Deno's cache, or of the local file. */
  readonly local?: string;
  /** Bytes of code: the cached file may carry a comment of Deno's behind them. */
  readonly size?: number;
  readonly mediaType?: string;
  readonly npmPackage?: string;
  readonly error?: string;
  readonly dependencies?: readonly {
    readonly specifier: string;
    readonly code?: { readonly specifier?: string; readonly error?: string };
  }[];
}

/** An npm package of the graph. */
export interface NpmPackage {
  /** Name and version, and peer dependencies where those matter. */
  readonly id: string;
  readonly name: string;
  readonly version: string;
  /** Ids of what it depends on. */
  readonly dependencies: readonly string[];
  /** Where it comes from. */
  readonly registryUrl?: string;
  /** Directory in Deno's cache. */
  readonly localPath: string;
}

/** A resolved graph. */
export interface ModuleGraph {
  readonly modules: ReadonlyMap<string, GraphModule>;
  readonly redirects: Readonly<Record<string, string>>;
  readonly packages: ReadonlyMap<string, NpmPackage>;
}

/** What Deno's resolver is started with. */
export interface GraphRequest {
  /** Specifier of the root module, with a scheme. */
  readonly specifier: string;
  /** Deno executable. */
  readonly deno: string;
  readonly configPath: string | undefined;
  /** There is a configuration or a package.json to be found. */
  readonly isConfigured: boolean;
  readonly lockPath: string | undefined;
  /** Hosts that code may be downloaded from; none leaves Deno's own list. */
  readonly allowImport: readonly string[];
  /** Where the process runs. */
  readonly directory: string;
  readonly signal: AbortSignal | undefined;
}

// deno-fmt-ignore
/**
 * Only these variables reach the resolver: an .npmrc of a plugin may quote any variable in what it sends to a registry.
 */
const ENVIRONMENT = [
  "HOME", "XDG_CACHE_HOME", "DENO_DIR", "DENO_CERT", "DENO_TLS_CA_STORE", "NPM_CONFIG_REGISTRY", "JSR_URL", "TMPDIR",
  "SSL_CERT_FILE", "SSL_CERT_DIR", "NODE_EXTRA_CA_CERTS", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY",
  "http_proxy", "https_proxy", "all_proxy", "no_proxy",
];

/**
 * Resolves a module graph.
 *
 * @param request The root and how to resolve it.
 * @returns The graph. Modules that could not be loaded are in it with their `error`.
 * @throws {BundleError} If the resolver fails as a whole, for instance as the lock file is out of date.
 */
export async function moduleGraph(request: GraphRequest): Promise<ModuleGraph> {
  const graph = parseGraph(JSON.parse(await runDeno(request, ["info", "--json"])));
  const packages = new Map<string, NpmPackage>();
  for (const [id, found] of graph.packages) {
    const localPath = await realPathIfPresent(found.localPath);
    if (localPath === undefined) continue;
    requireCached(found, localPath);
    packages.set(id, { ...found, localPath });
  }
  // `info` is silent about packages that it could not download or whose checksum is wrong; `cache` is not. What is
  // missing after that is meant for other platforms.
  if (packages.size < graph.packages.size) await runDeno(request, ["cache"]);
  return { ...graph, packages };
}

/**
 * Finds the package that a file in Deno's cache belongs to.
 *
 * @param graph The graph.
 * @param path Absolute path of the file.
 * @returns The package, if it is one of the graph's.
 */
export function packageOf(graph: ModuleGraph, path: string): NpmPackage | undefined {
  for (const found of graph.packages.values()) if (isInside(found.localPath, path)) return found;
  return undefined;
}

/**
 * Follows the graph's redirects.
 *
 * @param graph The graph.
 * @param specifier A resolved specifier.
 * @returns The module it leads to.
 */
export function moduleAt(graph: ModuleGraph, specifier: string): GraphModule | undefined {
  let current = specifier;
  for (let hops = 0; hops < 20; hops++) {
    const next = graph.redirects[current];
    if (next === undefined) break;
    current = next;
  }
  return graph.modules.get(current);
}

async function runDeno(request: GraphRequest, command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(request.deno, {
    args: [...command, ...resolverFlags(request), request.specifier],
    cwd: request.directory,
    clearEnv: true,
    env: { NO_COLOR: "1", DENO_NO_UPDATE_CHECK: "1", ...inheritedEnvironment() },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    ...(request.signal === undefined ? {} : { signal: request.signal }),
  }).output();
  request.signal?.throwIfAborted();
  if (code !== 0) throw resolverError(request, new TextDecoder().decode(stderr));
  return new TextDecoder().decode(stdout);
}

/** All files of a package may go into the bundle, so a configuration must not be able to say where one lies. */
function requireCached({ name, version }: Omit<NpmPackage, "id">, localPath: string): void {
  const isCached = localPath.includes("/npm/") &&
    localPath.replace(/_\d+$/, "").endsWith(`/${name}/${version}`);
  if (isCached) return;
  throw new BundleError(
    `Cannot use the package "${name}@${version}" as it lies outside of Deno's cache: "${localPath}"`,
  );
}

function resolverFlags(request: GraphRequest): string[] {
  return [
    "--quiet",
    "--node-modules-dir=none",
    "--vendor=false",
    "--unstable-raw-imports",
    ...(request.configPath === undefined ? [] : [`--config=${request.configPath}`]),
    ...(request.isConfigured ? [] : ["--no-config"]),
    ...(request.lockPath === undefined ? ["--no-lock"] : [`--lock=${request.lockPath}`, "--frozen"]),
    ...(request.allowImport.length === 0 ? [] : [`--allow-import=${request.allowImport.join(",")}`]),
  ];
}

async function realPathIfPresent(path: string): Promise<string | undefined> {
  try {
    return await Deno.realPath(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/**
 * The variables of this process that Deno's resolver gets.
 *
 * @returns Names and values.
 */
export function inheritedEnvironment(): Record<string, string> {
  const values: Record<string, string> = {};
  for (const name of ENVIRONMENT) {
    const value = Deno.env.get(name);
    if (value !== undefined) values[name] = value;
  }
  return values;
}

function resolverError(request: GraphRequest, stderr: string): BundleError {
  const text = stderr.replace(/Stack backtrace:[^]*$/, "").trim().replace(/^error: /, "").replace(
    /\s+/g,
    " ",
  );
  const isFrozen = /lock ?file is out of date/i.test(text);
  const reason = isFrozen
    ? `its lock file "${request.lockPath}" is out of date`
    : text || "the resolver said nothing";
  const hint = isFrozen
    ? `Run \`deno cache --frozen=false\` on it in "${
      dirname(request.lockPath ?? "")
    }" and commit the lock file`
    : /Failed reading lockfile/i.test(text)
    ? `Restore "${request.lockPath}", or remove it for the runtime to write another`
    : "Check the network and the versions that the imports name";
  return new BundleError(`Cannot resolve the imports of "${request.specifier}" as ${reason}`, { hint });
}

interface RawGraph {
  readonly modules: readonly GraphModule[];
  readonly redirects?: Readonly<Record<string, string>>;
  readonly npmPackages?: Readonly<Record<string, Omit<NpmPackage, "id">>>;
}

function parseGraph(raw: RawGraph): ModuleGraph {
  return {
    modules: new Map(raw.modules.map((module) => [module.specifier, module])),
    redirects: Object.assign(Object.create(null), raw.redirects),
    packages: new Map(Object.entries(raw.npmPackages ?? {}).map(([id, entry]) => [id, { ...entry, id }])),
  };
}
