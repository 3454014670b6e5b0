/**
 * What a bundle is.
 *
 * @module
 */

/** One plugin with all its dependencies as files for /app/plugin. */
export interface Bundle {
  /** Name of the entry file among `files`. */
  readonly entry: string;
  /** File name (flat, no slashes) → contents. The entry, and assets such as wasm. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** Source map (version 3, JSON) of the entry; sources are absolute paths or URLs. */
  readonly sourceMap: string;
  /** Every local file that went in, absolute: what hot reload watches. */
  readonly inputs: readonly string[];
  /** npm packages in it, `name@version`. */
  readonly packages: readonly string[];
  /** What would fail when it is reached: dynamic requires, native add-ons. One sentence each. */
  readonly warnings: readonly string[];
  /** Content hash of everything in it, hex. */
  readonly hash: string;
}

/** What to bundle. */
export interface BundleRequest {
  /** `file:` URL, or a remote specifier. */
  readonly entry: string;
  /** Where materialised dependencies and finished bundles are kept. */
  readonly cacheDirectory: string;
  /** Deno executable that resolves npm:, jsr: and https:. */
  readonly deno: string;
  /** The entry is a script whose `import.meta.main` is true (`cordon run`). @default false */
  readonly isMain?: boolean;
  /** `host:port` from which code may be downloaded, instead of Deno's own list. @default [] */
  readonly allowImport?: readonly string[];
  readonly signal?: AbortSignal;
}
