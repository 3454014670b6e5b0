/**
 * Small parsers that turn unknown input into typed values, or say which key is wrong and why.
 *
 * @module
 */

import { ConfigError } from "../errors.ts";
import { nearest } from "../util/nearest.ts";
import { quote } from "../util/quote.ts";

/** Reads `value`, which stands at `path`, or throws a {@linkcode ConfigError}. */
export type Parser<T> = (value: unknown, path: string) => T;

/** The keys that an object may have, each with the parser of its value. */
export type Shape = Readonly<Record<string, Parser<unknown>>>;

/** What an object of a shape is parsed into. Absent keys stay absent. */
export type Parsed<S extends Shape> = { readonly [K in keyof S]?: ReturnType<S[K]> };

/** Other spelling → the key of the shape that it stands for. */
export type Aliases = Readonly<Record<string, string>>;

/**
 * The error for a value that does not follow its rule.
 *
 * @param path Where the value stands, such as `"limits.memory"`.
 * @param rule What it should have been, such as `"a size"`.
 * @param state What it is.
 * @param hint What to write instead.
 * @returns The error, for the caller to throw.
 */
export function invalid(path: string, rule: string, state: string, hint?: string): ConfigError {
  return new ConfigError(`Cannot use ${quote(path)} as ${rule}: ${state}`, { path, hint });
}

/**
 * The error for a key or name that does not exist.
 *
 * @param path Path of the key, itself included.
 * @param what What kind of name it is, such as `"an option"`.
 * @param known The names that do exist.
 * @returns The error, for the caller to throw.
 */
export function unknownName(path: string, name: string, what: string, known: readonly string[]): ConfigError {
  const close = nearest(name, known);
  const state = close === null
    ? `${quote(name)} is not known`
    : `${quote(name)} is not known, ${quote(close)} is`;
  const list = known.length === 0 ? "There are none" : `Known are ${known.map(quote).join(", ")}`;
  const hint = close === null ? list : `Did you mean ${quote(close)}?`;
  return new ConfigError(`Cannot use ${quote(path)} as ${what}: ${state}`, { path, hint });
}

/**
 * Reads a plain object whose keys are all known.
 *
 * @param value What was passed; `undefined` is read as `{}`, and so is a key whose value is `undefined`.
 * @param path Path of the object; `""` is the outermost.
 * @param shape Parser of each key.
 * @param aliases Other spellings of keys. Both spellings at once are an error.
 * @param beside Keys that may stand there as well, and were taken out: a message about an unknown key names them.
 * @returns The parsed values, frozen.
 */
export function object<S extends Shape>(
  value: unknown,
  path: string,
  shape: S,
  aliases: Aliases = {},
  beside: readonly string[] = [],
): Parsed<S> {
  const parsed: Record<string, unknown> = {};
  const writtenAs = new Map<string, string>();
  for (const [written, item] of entries(value, path)) {
    if (item === undefined) continue;
    const key = Object.hasOwn(aliases, written) ? aliases[written] ?? written : written;
    const at = path === "" ? written : `${path}.${written}`;
    const parser = Object.hasOwn(shape, key) ? shape[key] : undefined;
    if (parser === undefined) {
      throw unknownName(at, written, "an option", [...new Set([...beside, ...Object.keys(shape)])]);
    }
    const other = writtenAs.get(key);
    if (other !== undefined) {
      throw invalid(at, "an option", `${quote(other)} says the same thing`, "Keep one of both");
    }
    writtenAs.set(key, written);
    parsed[key] = parser(item, at);
  }
  return Object.freeze(parsed) as Parsed<S>;
}

/**
 * Tells some options from others that stand in the same object.
 *
 * @param options What the caller passed.
 * @param keys Which ones.
 * @returns Those, and all others.
 * @throws {ConfigError} If it is no object of options.
 */
export function takeOut(
  options: unknown,
  keys: readonly string[],
): { readonly taken: Readonly<Record<string, unknown>>; readonly rest: Readonly<Record<string, unknown>> } {
  const all = entries(options, "");
  return {
    taken: Object.fromEntries(all.filter(([key]) => keys.includes(key))),
    rest: Object.fromEntries(all.filter(([key]) => !keys.includes(key))),
  };
}

/**
 * The own entries of a plain object.
 *
 * @param value What was passed; `undefined` has no entries.
 * @param path Where it stands.
 * @param rule What it should have been, for messages.
 * @returns Keys and values in their order.
 */
export function entries(value: unknown, path: string, rule = "an object of options"): [string, unknown][] {
  if (value === undefined) return [];
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  const prototype = isObject ? Object.getPrototypeOf(value) : undefined;
  if (!isObject || (prototype !== null && Object.getPrototypeOf(prototype) !== null)) {
    const hint = rule.startsWith("a list") ? asList(value) : undefined;
    throw invalid(path === "" ? "options" : path, rule, `it is ${quote(value)}`, hint);
  }
  return Object.entries(value);
}

/**
 * A parser of text that follows a rule.
 *
 * @param rule What the text should be, for messages.
 * @param pattern What it must match.
 */
export function text(rule = "text", pattern = /^[^\0]+$/): Parser<string> {
  return (value, path) => {
    if (typeof value === "string" && pattern.test(value)) return value;
    throw invalid(path, rule, `it is ${quote(value)}`);
  };
}

/** A parser of one of the given words. */
export function oneOf<const T extends string>(...words: readonly T[]): Parser<T> {
  return (value, path) => {
    const found = words.find((word) => word === value);
    if (found !== undefined) return found;
    const close = typeof value === "string" ? nearest(value, words) : null;
    const rule = `one of ${words.map(quote).join(", ")}`;
    throw invalid(
      path,
      rule,
      `it is ${quote(value)}`,
      close === null ? undefined : `Did you mean ${quote(close)}?`,
    );
  };
}

/** Reads `true` or `false`. */
export function flag(value: unknown, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw invalid(path, "true or false", `it is ${quote(value)}`);
}

/** Reads an `AbortSignal`. */
export function abortSignal(value: unknown, path: string): AbortSignal {
  if (value instanceof AbortSignal) return value;
  throw invalid(path, "an AbortSignal", `it is ${quote(value)}`);
}

/**
 * A parser of a list, frozen, in which nothing stands twice.
 *
 * @param item Parser of each item.
 */
export function list<T>(item: Parser<T>): Parser<readonly T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw invalid(path, "a list", `it is ${quote(value)}`, asList(value));
    const parsed = value.map((one, index) => item(one, `${path}[${index}]`));
    return Object.freeze([...new Set(parsed)]);
  };
}

function asList(value: unknown): string | undefined {
  return typeof value === "string" ? `Write [${quote(value)}]` : undefined;
}
