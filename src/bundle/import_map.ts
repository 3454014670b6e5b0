/**
 * Import maps, with Deno's addition that `"a": "npm:a@1"` also maps `"a/sub"`.
 *
 * @module
 */

/** Keys to targets, longest key first. A null target blocks the specifier. */
type Entries = readonly (readonly [key: string, target: string | null])[];

/** A parsed import map. */
export interface ImportMap {
  readonly imports: Entries;
  /** URL prefix of importers → entries that only they see, longest prefix first. */
  readonly scopes: readonly (readonly [prefix: string, entries: Entries])[];
}

/** The map that maps nothing. */
export const EMPTY_IMPORT_MAP: ImportMap = Object.freeze({ imports: [], scopes: [] });

/**
 * Parses the `imports` and `scopes` of a configuration or import map file.
 *
 * @param value The parsed file.
 * @param base URL of the file: relative targets are resolved against it.
 * @returns The map. Entries that are not text are left out.
 */
export function parseImportMap(value: unknown, base: string): ImportMap {
  if (!isRecord(value)) return EMPTY_IMPORT_MAP;
  const scopes = Object.entries(isRecord(value.scopes) ? value.scopes : {})
    .map(([prefix, entries]) => [new URL(prefix, base).href, parseEntries(entries, base)] as const)
    .sort(byLongestKey);
  return { imports: parseEntries(value.imports, base), scopes };
}

/**
 * Resolves a specifier by an import map.
 *
 * @param map The map.
 * @param specifier What the import says; relative ones already made absolute.
 * @param importer URL of the importing module.
 * @returns The target, `null` where the map blocks the specifier, `undefined` where it says nothing.
 */
export function resolveByMap(map: ImportMap, specifier: string, importer: string): string | null | undefined {
  for (const [prefix, entries] of map.scopes) {
    const matches = importer === prefix || (prefix.endsWith("/") && importer.startsWith(prefix));
    const target = matches ? matchEntries(entries, specifier) : undefined;
    if (target !== undefined) return target;
  }
  return matchEntries(map.imports, specifier);
}

function parseEntries(value: unknown, base: string): Entries {
  if (!isRecord(value)) return [];
  const entries: (readonly [string, string | null])[] = [];
  for (const [key, target] of Object.entries(value)) {
    if (target !== null && typeof target !== "string") continue;
    entries.push([isRelative(key) ? new URL(key, base).href : key, target && absolute(target, base)]);
  }
  return entries.sort(byLongestKey);
}

function matchEntries(entries: Entries, specifier: string): string | null | undefined {
  for (const [key, target] of entries) {
    if (specifier === key) return target;
    if (key.endsWith("/") && specifier.startsWith(key)) return target && target + specifier.slice(key.length);
    if (target !== null && /^(npm|jsr):/.test(target) && specifier.startsWith(key + "/")) {
      return target + specifier.slice(key.length);
    }
  }
  return undefined;
}

function absolute(target: string, base: string): string {
  return isRelative(target) ? new URL(target, base).href : target;
}

function isRelative(specifier: string): boolean {
  return /^\.{0,2}\//.test(specifier);
}

function byLongestKey(a: readonly [string, unknown], b: readonly [string, unknown]): number {
  return b[0].length - a[0].length;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
