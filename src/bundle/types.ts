/**
 * What a bundle is.
 *
 * @module
 */

/** One plugin as files for /app/plugin, with all its dependencies in them or beside them. */
export interface Bundle {
  /** Name of the entry file among `files`. */
  readonly entry: string;
  /** File name → contents: the entry, and assets such as wasm. Names are flat unless there are `dependencies`. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Source map (version 3, JSON) of the entry; sources are absolute paths or URLs. */
  readonly sourceMap: string;
  /** Name of each worker's file → its source map, like that of the entry. */
  readonly workerMaps: Readonly<Record<string, string>>;
  /** Every local file that went in, absolute: what hot reload watches. */
  readonly inputs: readonly string[];
  /** npm packages in it, `name@version`. */
  readonly packages: readonly string[];
  /** What would fail when it is reached: dynamic requires, native add-ons. One sentence each. */
  readonly warnings: readonly string[];
  /** Content hash of everything in it, hex. */
  readonly hash: string;
  /** What the imports of an unbundled plugin resolve to; absent where everything is in the files. */
  readonly dependencies?: Dependencies;
}

/** Packages and remote modules that are mounted beside a plugin, because they were not bundled. */
export interface Dependencies {
  /** Absolute path of the directory, for reading only: `deno.json`, `deno.lock`, and `deno/`, a cache of the runtime's. */
  readonly directory: string;
  /** `host:port` of the remote modules in it. */
  readonly hosts: readonly string[];
  /** Where JSR is, if it is somewhere else than where the runtime looks by itself. */
  readonly jsrUrl?: string;
  /** Absolute path of the directory that the files of the bundle come from. */
  readonly root: string;
}

/** What to bundle. */
export interface BundleRequest {
  /** `file:` URL, or a remote specifier. */
  readonly entry: string;
  /** Where materialised dependencies and finished bundles are kept. */
  readonly cacheDirectory: string;
  /** Where the dependencies of unbundled plugins are kept. @default "unbundled" in the cache directory */
  readonly dependencyDirectory?: string;
  /** Group of the account that sandboxes run under, if that is another one. */
  readonly dependencyGroup?: number;
  /** Deno executable that resolves npm:, jsr: and https:. */
  readonly deno: string;
  /** The entry is a script whose `import.meta.main` is true (`cordon run`). @default false */
  readonly isMain?: boolean;
  /** `host:port` from which code may be downloaded, instead of Deno's own list. @default [] */
  readonly allowImport?: readonly string[];
  readonly signal?: AbortSignal;
}
