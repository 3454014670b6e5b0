/**
 * Finds what a plugin says about itself.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseJsonc } from "../bundle/jsonc.ts";
import { pluginManifest } from "../config/mod.ts";
import type { ManifestDefaults, PluginManifest } from "../config/mod.ts";
import { ConfigError } from "../errors.ts";
import { quote } from "../util/quote.ts";

/** Files that may hold a manifest, the preferred one first. */
const fileNames = ["cordon.json", "deno.json", "deno.jsonc"] as const;

/**
 * The manifest that governs an entry module: in its directory, or the nearest above that has one of the files at all.
 *
 * @param entry `file:` URL of the module; anything else has no manifest.
 * @returns The manifest, or `null` when the nearest file has no `cordon` key or there is none.
 * @throws {ConfigError} If it is not valid.
 */
export function findManifest(entry: string): PluginManifest | null {
  if (!entry.startsWith("file:")) return null;
  for (let directory = dirname(fileURLToPath(entry));; directory = dirname(directory)) {
    const found = readManifest(directory);
    if (found !== undefined) return found;
    if (directory === dirname(directory)) return null;
  }
}

/**
 * The manifest of a directory.
 *
 * @param directory Absolute path.
 * @returns The manifest; `null` when its deno.json has no `cordon` key; `undefined` when it has none of the files.
 * @throws {ConfigError} If it is not valid.
 */
export function readManifest(directory: string): PluginManifest | null | undefined {
  for (const name of fileNames) {
    const file = join(directory, name);
    const text = readIfThere(file);
    if (text === null) continue;
    const json = parsed(text, file);
    return name === "cordon.json" ? pluginManifest(json, file) : ofDenoJson(json, file);
  }
  return undefined;
}

function ofDenoJson(json: unknown, file: string): PluginManifest | null {
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, "cordon")) return null;
  const { cordon, name, version, exports } = json as Readonly<Record<string, unknown>>;
  return pluginManifest(
    cordon,
    file,
    { name, version, entry: mainExport(exports) } satisfies ManifestDefaults,
  );
}

/** `exports` of a deno.json is one path, or an object with one for `"."`. */
function mainExport(exports: unknown): unknown {
  const isObject = typeof exports === "object" && exports !== null;
  return isObject ? (exports as Readonly<Record<string, unknown>>)["."] : exports;
}

function parsed(text: string, file: string): unknown {
  try {
    return parseJsonc(text);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new ConfigError(`Cannot use ${quote(file)} as a manifest: ${why}`, { path: file, cause: error });
  }
}

/** Most are not there: asking the kernel is a hundred times faster than asking another thread to do so. */
function readIfThere(file: string): string | null {
  try {
    return Deno.readTextFileSync(file);
  } catch (error) {
    const isAbsent = error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory;
    if (isAbsent || error instanceof Deno.errors.PermissionDenied) return null;
    throw error;
  }
}
