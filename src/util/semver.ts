/**
 * Versions and ranges of versions, as in semver.org and npm.
 *
 * @module
 */

/** A version: numbers, and what follows a hyphen. */
export interface Version {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** Identifiers of a pre-release, empty for a release. */
  readonly pre: readonly string[];
}

type Comparator = { readonly operator: "<" | "<=" | ">" | ">=" | "="; readonly version: Version };

const number = "0|[1-9][0-9]{0,14}";
const identifier = "0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*";
const tail = `(?:-((?:${identifier})(?:\\.(?:${identifier}))*))?(?:\\+[0-9A-Za-z-]+(?:\\.[0-9A-Za-z-]+)*)?`;
const fullPattern = new RegExp(`^(${number})\\.(${number})\\.(${number})${tail}$`);
const partialPattern = new RegExp(
  `^(\\^|~|>=|<=|>|<|=)?\\s*v?(?:(${number}|[xX*])(?:\\.(${number}|[xX*])(?:\\.(${number}|[xX*])${tail})?)?)$`,
);

/**
 * Reads a version.
 *
 * @param text Text such as `"1.4.0-rc.1"`.
 * @returns The version, or `null` when it is not exactly one. What follows a plus sign does not count.
 *
 * @example
 * ```ts
 * import { parseVersion } from "./semver.ts";
 *
 * parseVersion("1.4.0")?.minor; // 4
 * ```
 */
export function parseVersion(text: string): Version | null {
  const match = text.length > 256 ? null : fullPattern.exec(text);
  if (match === null) return null;
  const [, major, minor, patch, pre] = match;
  return version(Number(major), Number(minor), Number(patch), pre?.split(".") ?? []);
}

/**
 * Compares versions.
 *
 * @returns Less than 0 when `a` comes first, 0 when they are equal, more than 0 otherwise.
 */
export function compareVersions(a: Version, b: Version): number {
  const byNumber = a.major - b.major || a.minor - b.minor || a.patch - b.patch;
  if (byNumber !== 0) return byNumber;
  if (a.pre.length === 0 || b.pre.length === 0) return b.pre.length - a.pre.length;
  for (let index = 0; index < Math.min(a.pre.length, b.pre.length); index++) {
    const order = compareIdentifiers(a.pre[index] ?? "", b.pre[index] ?? "");
    if (order !== 0) return order;
  }
  return a.pre.length - b.pre.length;
}

/**
 * Reads a range of versions: `^1.2.3`, `~1.2`, `>=1 <3`, `1.x`, `*`, `1.2.3`, and several of them joined by `||`.
 *
 * A pre-release satisfies a range only if the range names a pre-release of the same three numbers.
 *
 * @param range The range.
 * @returns A function that tells whether a version satisfies it, or `null` when it is not a range.
 *
 * @example
 * ```ts
 * import { parseRange, parseVersion } from "./semver.ts";
 *
 * const version = parseVersion("1.4.0");
 * version !== null && parseRange("^1.2")?.(version); // true
 * ```
 */
export function parseRange(range: string): ((version: Version) => boolean) | null {
  if (range.length > 256) return null;
  const alternatives: (readonly Comparator[])[] = [];
  for (const part of range.split("||")) {
    const comparators = parseComparators(part.trim());
    if (comparators === null) return null;
    alternatives.push(comparators);
  }
  return (candidate) => alternatives.some((comparators) => satisfiesAll(candidate, comparators));
}

function parseComparators(text: string): readonly Comparator[] | null {
  // "> 1" means ">1": an operator belongs to what follows it.
  const words = text.replaceAll(/(\^|~|>=|<=|>|<|=)\s+/g, "$1").split(/\s+/).filter((word) => word !== "");
  const comparators: Comparator[] = [];
  for (const word of words) {
    const match = partialPattern.exec(word);
    if (match === null) return null;
    comparators.push(...expand(match));
  }
  return comparators;
}

/** Whole versions and comparisons that a partial one stands for. */
function expand(match: RegExpExecArray): Comparator[] {
  const [, operator = "", ...parts] = match;
  const [major, minor, patch] = parts.slice(0, 3).map(partNumber);
  const pre = parts[3]?.split(".") ?? [];
  if (major === undefined) {
    return operator === "<" || operator === ">" ? [{ operator: "<", version: lowest }] : [];
  }
  const from = version(major, minor ?? 0, patch ?? 0, pre);
  const afterMajor = version(major + 1, 0, 0, ["0"]);
  const afterMinor = version(major, (minor ?? 0) + 1, 0, ["0"]);
  const end = minor === undefined ? afterMajor : patch === undefined ? afterMinor : null;
  switch (operator) {
    case "^":
      return between(from, caretEnd(major, minor, patch));
    case "~":
      return between(from, minor === undefined ? afterMajor : afterMinor);
    case ">":
      return [end === null ? { operator: ">", version: from } : { operator: ">=", version: end }];
    case "<=":
      return [end === null ? { operator: "<=", version: from } : { operator: "<", version: end }];
    case ">=":
    case "<":
      return [{ operator, version: from }];
    default:
      return end === null ? [{ operator: "=", version: from }] : between(from, end);
  }
}

const lowest: Version = version(0, 0, 0, ["0"]);

function caretEnd(major: number, minor: number | undefined, patch: number | undefined): Version {
  if (major > 0 || minor === undefined) return version(major + 1, 0, 0, ["0"]);
  if (minor > 0 || patch === undefined) return version(0, minor + 1, 0, ["0"]);
  return version(0, 0, patch + 1, ["0"]);
}

function between(from: Version, end: Version): Comparator[] {
  return [{ operator: ">=", version: from }, { operator: "<", version: end }];
}

function partNumber(part: string | undefined): number | undefined {
  return part === undefined || /[xX*]/.test(part) ? undefined : Number(part);
}

function satisfiesAll(candidate: Version, comparators: readonly Comparator[]): boolean {
  if (!comparators.every((comparator) => satisfies(candidate, comparator))) return false;
  if (candidate.pre.length === 0) return true;
  return comparators.some(({ version: { major, minor, patch, pre } }) =>
    pre.length > 0 && major === candidate.major && minor === candidate.minor && patch === candidate.patch
  );
}

function satisfies(candidate: Version, { operator, version }: Comparator): boolean {
  const order = compareVersions(candidate, version);
  switch (operator) {
    case "<":
      return order < 0;
    case "<=":
      return order <= 0;
    case ">":
      return order > 0;
    case ">=":
      return order >= 0;
    case "=":
      return order === 0;
  }
}

function version(major: number, minor: number, patch: number, pre: readonly string[]): Version {
  return Object.freeze({ major, minor, patch, pre: Object.freeze(pre) });
}

/** Numbers come before words and compare as numbers, words by their characters. */
function compareIdentifiers(a: string, b: string): number {
  const [isNumberA, isNumberB] = [/^[0-9]+$/.test(a), /^[0-9]+$/.test(b)];
  if (isNumberA && isNumberB) return Number(a) - Number(b);
  if (isNumberA !== isNumberB) return isNumberA ? -1 : 1;
  return a === b ? 0 : a < b ? -1 : 1;
}
