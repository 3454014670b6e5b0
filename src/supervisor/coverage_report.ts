/**
 * Turns what V8 counted in a bundle into a report about the sources, in the format of LCOV.
 *
 * @module
 */

import { originalPosition, type SourceMap } from "../util/source_map.ts";

/** Functions of one script as V8 reports them; ranges of blocks lie inside those before them. */
export interface ScriptCoverage {
  readonly url: string;
  readonly functions: readonly {
    readonly functionName: string;
    readonly ranges: readonly {
      readonly startOffset: number;
      readonly endOffset: number;
      readonly count: number;
    }[];
  }[];
}

/** What is known of one source. */
interface SourceCounts {
  readonly lines: Map<number, number>;
  /** Line and name → how often it was called. */
  readonly functions: Map<string, { readonly line: number; readonly name: string; count: number }>;
}

/**
 * Write a report.
 *
 * @param coverage What was counted in the script.
 * @param script Its text.
 * @param map Its source map.
 * @param isWanted Which sources are reported.
 * @returns The report; empty without a wanted source.
 */
export function coverageReport(
  coverage: ScriptCoverage,
  script: string,
  map: SourceMap,
  isWanted: (source: string) => boolean,
): string {
  const counts = countsByOffset(coverage, script.length);
  const sources = new Map<string, SourceCounts>();
  const of = (source: string): SourceCounts => {
    let found = sources.get(source);
    if (found === undefined) sources.set(source, found = { lines: new Map(), functions: new Map() });
    return found;
  };
  const starts = lineStarts(script);
  for (const [index, start] of starts.entries()) {
    for (const { column, source, sourceLine } of map.line(index)) {
      const name = map.sources[source];
      if (name === undefined || !isWanted(name)) continue;
      const { lines } = of(name);
      lines.set(sourceLine + 1, Math.max(lines.get(sourceLine + 1) ?? 0, counts[start + column] ?? 0));
    }
  }
  for (const { functionName, ranges: [range] } of coverage.functions) {
    const place = range === undefined ? undefined : placeOf(map, starts, range.startOffset);
    if (range === undefined || functionName === "" || place === undefined || !isWanted(place.source)) {
      continue;
    }
    const { functions } = of(place.source);
    const key = `${place.line},${functionName}`;
    const known = functions.get(key);
    if (known === undefined) {
      functions.set(key, { line: place.line, name: functionName, count: range.count });
    } else known.count += range.count;
  }
  return [...sources].sort(([a], [b]) => a < b ? -1 : 1).map(([source, found]) => record(source, found)).join(
    "",
  );
}

/** Inner ranges come after the outer ones and say it better. */
function countsByOffset({ functions }: ScriptCoverage, length: number): Uint32Array {
  const counts = new Uint32Array(length);
  for (const { ranges } of functions) {
    for (const { startOffset, endOffset, count } of ranges) counts.fill(count, startOffset, endOffset);
  }
  return counts;
}

function lineStarts(text: string): number[] {
  const starts = [0];
  for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) starts.push(at + 1);
  return starts;
}

function placeOf(
  map: SourceMap,
  starts: readonly number[],
  offset: number,
): { readonly source: string; readonly line: number } | undefined {
  const line = starts.findLastIndex((start) => start <= offset);
  return originalPosition(map, line + 1, offset - (starts[line] ?? 0) + 1);
}

function record(source: string, { lines, functions }: SourceCounts): string {
  const sorted = [...lines].sort(([a], [b]) => a - b);
  const called = [...functions.values()].sort((a, b) => a.line - b.line);
  return [
    "TN:",
    `SF:${source}`,
    ...called.map(({ line, name }) => `FN:${line},${name}`),
    ...called.map(({ name, count }) => `FNDA:${count},${name}`),
    `FNF:${called.length}`,
    `FNH:${called.filter(({ count }) => count > 0).length}`,
    ...sorted.map(([line, count]) => `DA:${line},${count}`),
    `LF:${sorted.length}`,
    `LH:${sorted.filter(([, count]) => count > 0).length}`,
    "end_of_record",
    "",
  ].join("\n");
}
