/**
 * Files that code refers to by `new URL("./file", import.meta.url)`.
 *
 * @module
 */

/** One reference in a source text. */
export interface AssetReference {
  /** The relative specifier as written. */
  readonly specifier: string;
  /** Offsets of the specifier within the text, quotes excluded. */
  readonly start: number;
  readonly end: number;
}

const REFERENCE =
  /(?:\bnew\s+URL\(\s*(["'`])(\.{1,2}\/[^"'`\n$]*)\1\s*,\s*import\.meta\.url\s*,?\s*\)|\bimport\.meta\.resolve\(\s*(["'`])(\.{1,2}\/[^"'`\n$]*)\3\s*\))/g;

/**
 * Finds references to files beside a module.
 *
 * @param source Text of the module.
 * @returns The references in order. Specifiers that are computed cannot be found.
 */
export function assetReferences(source: string): AssetReference[] {
  if (!source.includes("import.meta")) return [];
  return [...source.matchAll(REFERENCE)].map((match) => {
    const specifier = match[2] ?? match[4] ?? "";
    const start = match.index + match[0].indexOf(specifier);
    return { specifier, start, end: start + specifier.length };
  });
}

/**
 * Replaces references.
 *
 * @param source Text of the module.
 * @param replacements New specifiers for some of the references, in the order of the text.
 * @returns The new text.
 */
export function replaceReferences(
  source: string,
  replacements: readonly { readonly reference: AssetReference; readonly by: string }[],
): string {
  let result = "", position = 0;
  for (const { reference, by } of replacements) {
    result += source.slice(position, reference.start) + by;
    position = reference.end;
  }
  return result + source.slice(position);
}
