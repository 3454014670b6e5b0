/**
 * Reads source maps (version 3) and rewrites stacks with them.
 *
 * @module
 */

/** One mapping: a place in the generated file and the place it came from. Lines and columns count from 0. */
interface Segment {
  readonly column: number;
  readonly source: number;
  readonly sourceLine: number;
  readonly sourceColumn: number;
  readonly name: number;
}

/** A decoded source map. */
export interface SourceMap {
  /** Original files, as the map names them. */
  readonly sources: readonly string[];
  /** Original identifiers that mappings refer to. */
  readonly names: readonly string[];
  /** Mappings of each generated line, ordered by column. Decoded on first use. */
  line(index: number): readonly Segment[];
}

/** A place in an original file. */
export interface OriginalPosition {
  readonly source: string;
  /** Counts from 1. */
  readonly line: number;
  /** Counts from 1. */
  readonly column: number;
  /** Original identifier, if the map knows it. */
  readonly name: string | undefined;
}

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/**
 * Decodes a source map.
 *
 * @param json The map as JSON text.
 * @returns The map; its mappings are decoded when a position is first asked for.
 * @throws {TypeError} If the text is not a source map of version 3.
 */
export function parseSourceMap(json: string): SourceMap {
  const raw: unknown = JSON.parse(json);
  if (!isRawMap(raw)) throw new TypeError("Cannot read a source map as its version is not 3");
  const { sources, names = [], mappings } = raw;
  let lines: Segment[][] | undefined;
  return {
    sources: sources.map((source) => source ?? "<unknown>"),
    names,
    line: (index) => (lines ??= decodeMappings(mappings))[index] ?? [],
  };
}

/**
 * Looks up where a place in the generated file came from.
 *
 * @param map The generated file's source map.
 * @param line Line in the generated file, counted from 1.
 * @param column Column in the generated file, counted from 1.
 * @returns The original place, or `undefined` where the line has no mapping at or before the column.
 */
export function originalPosition(map: SourceMap, line: number, column: number): OriginalPosition | undefined {
  const segments = map.line(line - 1);
  const segment = segments[lastAtOrBefore(segments, column - 1)];
  const source = segment === undefined ? undefined : map.sources[segment.source];
  if (segment === undefined || source === undefined) return undefined;
  return {
    source,
    line: segment.sourceLine + 1,
    column: segment.sourceColumn + 1,
    name: map.names[segment.name],
  };
}

/**
 * Rewrites the frames of a stack that lie in a generated file to the original files.
 *
 * @param stack Text with frames such as `at run (file:///app/plugin/main.js:10:5)`.
 * @param sourceMap The map, decoded or as JSON text. Decode it once when many stacks are mapped.
 * @param generatedFile Absolute path of the generated file.
 * @returns The same text with original places; frames without a mapping are unchanged.
 * @throws {TypeError} If `sourceMap` is text that is not a source map.
 */
export function mapStack(
  stack: string,
  sourceMap: SourceMap | string,
  generatedFile: string = "/app/plugin/main.js",
): string {
  if (!stack.includes(generatedFile)) return stack;
  const map = typeof sourceMap === "string" ? parseSourceMap(sourceMap) : sourceMap;
  const frame = new RegExp(`(?:file://)?${escapePattern(generatedFile)}:(\\d+):(\\d+)`, "g");
  return stack.replace(frame, (whole: string, line: string, column: string) => {
    const original = originalPosition(map, Number(line), Number(column));
    return original === undefined ? whole : `${original.source}:${original.line}:${original.column}`;
  });
}

interface RawMap {
  readonly sources: readonly (string | null)[];
  readonly names?: readonly string[];
  readonly mappings: string;
}

function isRawMap(value: unknown): value is RawMap {
  return typeof value === "object" && value !== null && "version" in value && value.version === 3 &&
    "sources" in value && Array.isArray(value.sources) && "mappings" in value &&
    typeof value.mappings === "string";
}

/** Every field but the generated column is relative to the previous segment of the whole file. */
function decodeMappings(mappings: string): Segment[][] {
  const lines: Segment[][] = [];
  let source = 0, sourceLine = 0, sourceColumn = 0, name = 0;
  for (const text of mappings.split(";")) {
    const line: Segment[] = [];
    let column = 0;
    for (const part of text === "" ? [] : text.split(",")) {
      const fields = decodeVlq(part);
      column += fields[0] ?? 0;
      if (fields.length < 4) continue;
      source += fields[1] ?? 0;
      sourceLine += fields[2] ?? 0;
      sourceColumn += fields[3] ?? 0;
      if (fields.length > 4) name += fields[4] ?? 0;
      line.push({ column, source, sourceLine, sourceColumn, name: fields.length > 4 ? name : -1 });
    }
    lines.push(line);
  }
  return lines;
}

/** Base 64 digits of five bits, least significant first; the lowest bit of the number is its sign. */
function decodeVlq(text: string): number[] {
  const numbers: number[] = [];
  let value = 0, shift = 0;
  for (const character of text) {
    const digit = ALPHABET.indexOf(character);
    if (digit < 0) throw new TypeError(`Cannot read a source map as "${character}" is not a base 64 digit`);
    value += (digit & 31) << shift;
    shift += 5;
    if ((digit & 32) !== 0) continue;
    numbers.push((value & 1) === 1 ? -(value >>> 1) : value >>> 1);
    value = shift = 0;
  }
  return numbers;
}

function lastAtOrBefore(segments: readonly Segment[], column: number): number {
  let low = 0, high = segments.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((segments[middle]?.column ?? Infinity) <= column) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
}
