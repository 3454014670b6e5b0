/**
 * What one bundling collects while esbuild asks its questions.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { basename, dirname, extname, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { type ModuleGraph, moduleGraph } from "./module_graph.ts";
import { npmLayout } from "./npm_layout.ts";
import type { Project } from "./project.ts";
import { isInside } from "./readable.ts";
import type { BundleRequest } from "./types.ts";

/** A graph and the directories from which its packages resolve. */
export interface ResolvedGraph extends ModuleGraph {
  readonly layout: string;
}

/** Collects the results of one `bundlePlugin()`. */
export class BundleContext {
  readonly request: BundleRequest;
  readonly project: Project;
  /** Directories of the npm packages of all graphs. */
  readonly packageDirectories: Set<string> = new Set();
  /** Local files that went in → SHA-256 of what was read. */
  readonly inputs: Map<string, string> = new Map();
  /** `name@version` of the packages that went in. */
  readonly packages: Set<string> = new Set();
  /** Files beside the entry, workers excepted. */
  readonly assets: Map<string, Uint8Array> = new Map();
  /** Path of a worker's entry → name of its bundle. */
  readonly workers: Map<string, string> = new Map();
  /** Absolute path of each module → the name that the plugin may see. */
  readonly names: Map<string, string> = new Map();
  readonly warnings: Set<string> = new Set();
  readonly #graphs: Map<string, Promise<ResolvedGraph>> = new Map();
  readonly #loaded: ResolvedGraph[] = [];

  /**
   * @param request What to bundle.
   * @param project The configuration that governs it.
   */
  constructor(request: BundleRequest, project: Project) {
    this.request = request;
    this.project = project;
  }

  /**
   * Deno's resolution of a root module. Starts the resolver on the first call for each root.
   *
   * @param root Specifier of the root module.
   * @returns The graph.
   */
  graph(root: string): Promise<ResolvedGraph> {
    let graph = this.#graphs.get(root);
    if (graph === undefined) this.#graphs.set(root, graph = this.#resolve(root));
    return graph;
  }

  /**
   * The graphs that were resolved so far.
   *
   * @returns The graphs, the entry's first.
   */
  loadedGraphs(): readonly ResolvedGraph[] {
    return this.#loaded;
  }

  /**
   * Notes a file that goes into the bundle.
   *
   * @param path Absolute path.
   * @param bytes What was read. Not kept.
   */
  addInput(path: string, bytes: Uint8Array): void {
    for (const { packages } of this.#loaded) {
      for (const { localPath, name, version } of packages.values()) {
        if (!isInside(localPath, path)) continue;
        this.packages.add(`${name}@${version}`);
        this.names.set(path, `npm:${name}@${version}${path.slice(localPath.length)}`);
        return;
      }
    }
    this.inputs.set(path, sha256(bytes));
    this.names.set(path, relative(this.project.root ?? "/", path));
  }

  /**
   * Places a file beside the entry.
   *
   * @param path Absolute path of the original, for the name.
   * @param bytes Contents. Kept.
   * @returns The flat name, unique for these contents.
   */
  addAsset(path: string, bytes: Uint8Array): string {
    const name = flatName(path, sha256(bytes), extname(path));
    this.assets.set(name, bytes);
    return name;
  }

  /**
   * Asks for a script that is bundled separately.
   *
   * @param path Absolute path of its entry module.
   * @returns The flat name of the future bundle.
   */
  addWorker(path: string): string {
    const name = this.workers.get(path) ?? flatName(path, sha256(new TextEncoder().encode(path)), ".js");
    this.workers.set(path, name);
    return name;
  }

  async #resolve(root: string): Promise<ResolvedGraph> {
    const { request, project } = this;
    const graph = await moduleGraph({
      specifier: root,
      deno: request.deno,
      configPath: project.configPath,
      isConfigured: project.files.length > 0,
      lockPath: project.lockPath,
      allowImport: request.allowImport ?? [],
      directory: root.startsWith("file:") ? dirname(fileURLToPath(root)) : project.root ?? "/",
      signal: request.signal,
    });
    for (const { localPath } of graph.packages.values()) this.packageDirectories.add(localPath);
    const resolved = { ...graph, layout: await npmLayout(graph, request.cacheDirectory) };
    this.#loaded.push(resolved);
    return resolved;
  }
}

/**
 * SHA-256 as hexadecimal text.
 *
 * @param bytes What to hash.
 * @returns 64 digits.
 */
export function sha256(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function flatName(path: string, hash: string, extension: string): string {
  const stem = basename(path, extname(path)).replace(/[^\w.-]/g, "_").replace(/^\.+/, "");
  return `${stem || "asset"}-${hash.slice(0, 10)}${extension}`;
}
