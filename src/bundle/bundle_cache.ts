/**
 * Finished bundles on disk, one file each, valid as long as their inputs are unchanged.
 *
 * The file: length of the header (u32, little endian), the header as JSON, then the source map and all files in order.
 *
 * @module
 */

import { join } from "node:path";
import { sha256 } from "./bundle_context.ts";
import { noteUse, pruneBundles } from "./prune_bundles.ts";
import type { Bundle, Dependencies } from "./types.ts";

/** A bundle with what it depends on. */
export interface CachedBundle {
  readonly bundle: Bundle;
  /** Absolute path → SHA-256 of the contents that went in. */
  readonly inputs: Readonly<Record<string, string>>;
  /** Files whose appearance would change the result. */
  readonly absent: readonly string[];
}

interface Header extends Omit<CachedBundle, "bundle"> {
  readonly bundle: Omit<Bundle, "files" | "sourceMap">;
  readonly sourceMapBytes: number;
  readonly files: readonly (readonly [name: string, bytes: number])[];
}

/**
 * Reads a bundle if it is still valid.
 *
 * @param cacheDirectory Absolute path.
 * @param key Hexadecimal name of the bundle.
 * @returns The bundle, or `undefined` if there is none, an input changed or the file is damaged.
 */
export async function readCachedBundle(cacheDirectory: string, key: string): Promise<Bundle | undefined> {
  const path = cachePath(cacheDirectory, key);
  const bytes = await readIfPresent(path);
  const cached = bytes === undefined ? undefined : decode(bytes);
  if (cached === undefined) return undefined;
  const unchanged = await Promise.all([
    ...Object.entries(cached.inputs).map(async ([path, hash]) => {
      const input = await readIfPresent(path);
      return input !== undefined && sha256(input) === hash;
    }),
    ...cached.absent.map((path) => !isFileNow(path)),
  ]);
  if (!unchanged.every(Boolean)) return undefined;
  noteUse(path);
  return cached.bundle;
}

/**
 * Keeps a bundle. Readers see the old file or the new one, never half of it. Makes room where there are too many.
 *
 * @param cacheDirectory Absolute path; its `bundles` directory exists.
 * @param key Hexadecimal name of the bundle.
 * @param cached The bundle and what it depends on.
 */
export async function writeCachedBundle(
  cacheDirectory: string,
  key: string,
  cached: CachedBundle,
): Promise<void> {
  const directory = join(cacheDirectory, "bundles");
  const draft = await Deno.makeTempFile({ dir: directory, prefix: "draft-" });
  try {
    await Deno.writeFile(draft, encode(cached));
    await Deno.rename(draft, cachePath(cacheDirectory, key));
  } catch (error) {
    await Deno.remove(draft);
    throw error;
  }
  pruneBundles(cacheDirectory);
}

/**
 * Hashes what a bundle contains.
 *
 * @param files Name → contents.
 * @param sourceMap The source map.
 * @param dependencies What lies beside it; its directory is named after its contents.
 * @returns SHA-256, hexadecimal.
 */
export function bundleHash(
  files: ReadonlyMap<string, Uint8Array>,
  sourceMap: string,
  dependencies?: Dependencies,
): string {
  const parts = [...files].map(([name, bytes]) => `${name}\0${sha256(bytes)}`).sort();
  const beside = dependencies === undefined ? [] : [dependencies.directory];
  return sha256(new TextEncoder().encode([...parts, sourceMap, ...beside].join("\0")));
}

function encode({ bundle, inputs, absent }: CachedBundle): Uint8Array<ArrayBuffer> {
  const { files, sourceMap, ...facts } = bundle;
  const map = new TextEncoder().encode(sourceMap);
  const header: Header = {
    bundle: facts,
    inputs,
    absent,
    sourceMapBytes: map.byteLength,
    files: [...files].map(([name, contents]) => [name, contents.byteLength] as const),
  };
  const head = new TextEncoder().encode(JSON.stringify(header));
  const parts = [new Uint8Array(new Uint32Array([head.byteLength]).buffer), head, map, ...files.values()];
  const result = new Uint8Array(parts.reduce((sum, part) => sum + part.byteLength, 0));
  let offset = 0;
  for (const part of parts) {
    result.set(part, offset);
    offset += part.byteLength;
  }
  return result;
}

/** A damaged file is no bundle: its hash would not be right, and the plugin is simply bundled again. */
function decode(bytes: Uint8Array<ArrayBuffer>): CachedBundle | undefined {
  const header = decodeHeader(bytes);
  if (header === undefined) return undefined;
  let offset = 4 + new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  const take = (length: number) => bytes.subarray(offset, offset += length);
  const sourceMap = new TextDecoder().decode(take(header.sourceMapBytes));
  const files = new Map(header.files.map(([name, length]) => [name, take(length)]));
  const { bundle, inputs, absent } = header;
  if (bundleHash(files, sourceMap, bundle.dependencies) !== bundle.hash) return undefined;
  return { bundle: { ...bundle, files, sourceMap }, inputs, absent };
}

function decodeHeader(bytes: Uint8Array<ArrayBuffer>): Header | undefined {
  if (bytes.byteLength < 4) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true);
  try {
    return JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + length)));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** A small file is read sooner than another thread has been asked for it. */
const SMALL_BYTES = 65_536;

async function readIfPresent(path: string): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const info = statNow(path);
  // What was a file may have become a pipe meanwhile.
  if (info?.isFile !== true) return undefined;
  return info.size <= SMALL_BYTES ? Deno.readFileSync(path) : await Deno.readFile(path);
}

function isFileNow(path: string): boolean {
  return statNow(path)?.isFile === true;
}

function statNow(path: string): Deno.FileInfo | null {
  try {
    return Deno.statSync(path);
  } catch (error) {
    const { NotFound, NotADirectory, PermissionDenied } = Deno.errors;
    const isAbsent = error instanceof NotFound || error instanceof NotADirectory;
    if (isAbsent || error instanceof PermissionDenied) return null;
    throw error;
  }
}

function cachePath(cacheDirectory: string, key: string): string {
  return join(cacheDirectory, "bundles", `${key}.bundle`);
}
