/**
 * Messages as lines for people: short, and without secrets.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import { Kind, kindName } from "./messages.ts";
import type { FrameTrace } from "./types.ts";
import { Marker, MarkerCode } from "./wire_types.ts";

const MAX_SHOWN = 200;
const MAX_LEVELS = 4;
const MAX_ITEMS = 8;
const MAX_TEXT = 60;
const MAX_BIGINT = 2n ** 128n;
const PASSWORD_IN_URL = /(\w:\/\/[^\s/:@]*:)[^\s/@]+@/g;
const SECRET_KEY = /token|secret|password|passwd|credential|authorization|cookie|api_?key|private_?key/i;

/**
 * One line about a message.
 *
 * @param message Decoded, or about to be encoded.
 * @param bytes Size of its frame.
 * @returns Such as `call 52 B [3,0,"plugin","add",[1,2]]`.
 *
 * @example
 * ```ts
 * import { describeMessage } from "./trace.ts";
 *
 * describeMessage([6, 1, 42], 4); // "result 4 B [1,42]"
 * ```
 */
export function describeMessage(message: readonly unknown[], bytes: number): string {
  const [kind, ...fields] = message;
  // The second field of hello is the token.
  if (kind === Kind.hello) fields[1] = "***";
  const text = show(fields, 0);
  return `${kindName(kind)} ${bytes} B ${text.length > MAX_SHOWN ? `${text.slice(0, MAX_SHOWN)}…` : text}`;
}

/**
 * A trace to stderr if the environment variable `CORDON_DEBUG_RPC` is `1`. Needs the permission to read it.
 *
 * @param name Name of the peer, put before every line.
 * @returns The trace, or undefined.
 */
export function traceFromEnvironment(name: string): FrameTrace | undefined {
  if (Deno.env.get("CORDON_DEBUG_RPC") !== "1") return undefined;
  const encoder = new TextEncoder();
  return (direction, line) => {
    const arrow = direction === "out" ? "→" : "←";
    Deno.stderr.writeSync(encoder.encode(`${performance.now().toFixed(2)} ${arrow} ${name} ${line}\n`));
  };
}

function show(value: unknown, level: number): string {
  switch (typeof value) {
    case "string":
      return quoted(value);
    case "number":
      return Object.is(value, -0) ? "-0" : String(value);
    case "bigint":
      return -MAX_BIGINT < value && value < MAX_BIGINT ? `${value}n` : "<bigint>";
    case "object":
      return value === null ? "null" : showObject(value, level);
    case "function":
      return "<function>";
    default:
      return String(value);
  }
}

function showObject(value: object, level: number): string {
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (value instanceof Marker) return `<${String.fromCharCode(value.code)}>`;
  if (level >= MAX_LEVELS) return "…";
  if (Array.isArray(value)) {
    return value[0] instanceof Marker ? showMarked(value, value[0].code, level) : showList(value, level);
  }
  if (value instanceof Map) return `Map${showPairs([...firstOf(value)], value.size, level)}`;
  if (value instanceof Set) return `Set${showItems([...firstOf(value)], value.size, level)}`;
  if (value instanceof Date) return `<Date ${value.getTime()}>`;
  if (value instanceof URL) return showUrl(value.href);
  if (value instanceof RegExp) return `<RegExp ${quoted(value.source)}>`;
  const prototype = Object.getPrototypeOf(value);
  if (prototype === Object.prototype || prototype === null) return showRecord(value, level);
  return `<${cleanText(String(prototype.constructor?.name), MAX_TEXT)}>`;
}

/** What arrived is not revived yet; see PROTOCOL.md for the fields of each marker. */
function showMarked(value: readonly unknown[], code: number, level: number): string {
  switch (code) {
    case MarkerCode.map: {
      const pairs = Array.from(
        { length: Math.min(MAX_ITEMS, (value.length - 1) >> 1) },
        (_, index) => [value[2 * index + 1], value[2 * index + 2]] as const,
      );
      return `Map${showPairs(pairs, (value.length - 1) >> 1, level)}`;
    }
    case MarkerCode.set:
      return `Set${showItems(value.slice(1, 1 + MAX_ITEMS), value.length - 1, level)}`;
    case MarkerCode.url:
      return typeof value[1] === "string" ? showUrl(value[1]) : "<URL>";
    case MarkerCode.regexp:
      return `<RegExp ${show(value[1], level)}>`;
    default:
      return showItems(value.slice(0, MAX_ITEMS), value.length, level);
  }
}

function showRecord(value: object, level: number): string {
  const keys = Object.keys(value);
  const pairs = keys.slice(0, MAX_ITEMS).map((key) => {
    // An accessor was read when the value was written; it must not notice who watches.
    const { value: item = "<accessor>" } = Object.getOwnPropertyDescriptor(value, key) ?? {};
    return [key, item] as const;
  });
  return showPairs(pairs, keys.length, level);
}

function showPairs(pairs: readonly (readonly [unknown, unknown])[], size: number, level: number): string {
  const text = pairs.map(([key, item]) => {
    const name = typeof key === "string" && /^[\w$]{1,60}$/.test(key) ? key : show(key, level + 1);
    return `${name}:${isSecret(key) ? "***" : show(item, level + 1)}`;
  });
  return `{${text.join(",")}${rest(size)}}`;
}

/** `[name, value]` is how headers and other maps are often written. */
function showList(value: readonly unknown[], level: number): string {
  if (value.length === 2 && isSecret(value[0])) return `[${show(value[0], level + 1)},***]`;
  return showItems(value.slice(0, MAX_ITEMS), value.length, level);
}

function showItems(items: readonly unknown[], size: number, level: number): string {
  return `[${items.map((item) => show(item, level + 1)).join(",")}${rest(size)}]`;
}

function showUrl(href: string): string {
  return `<URL ${quoted(href)}>`;
}

function* firstOf<T>(items: Iterable<T>): Generator<T> {
  let left = MAX_ITEMS;
  for (const item of items) {
    if (left-- > 0) yield item;
    else return;
  }
}

/** In one line, and without anything that a terminal obeys. */
function quoted(text: string): string {
  const masked = text.slice(0, 4 * MAX_SHOWN).replace(PASSWORD_IN_URL, "$1***@");
  const cut = masked.length > MAX_TEXT ? `${masked.slice(0, MAX_TEXT)}…` : masked;
  return cleanText(JSON.stringify(cut), 6 * MAX_SHOWN);
}

function isSecret(key: unknown): boolean {
  return typeof key === "string" && SECRET_KEY.test(key);
}

function rest(size: number): string {
  return size > MAX_ITEMS ? `,… ${size - MAX_ITEMS} more` : "";
}
