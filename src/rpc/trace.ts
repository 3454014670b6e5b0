/**
 * Messages as lines for people: short, and without secrets.
 *
 * @module
 */

import { Kind, kindName } from "./messages.ts";
import type { FrameTrace } from "./types.ts";

const MAX_SHOWN = 200;
const MAX_LEVELS = 4;
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
  if (typeof value === "string") return JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value);
  if (typeof value !== "object" || value === null) return String(value);
  if (ArrayBuffer.isView(value)) return `<${value.byteLength} bytes>`;
  if (level >= MAX_LEVELS) return "…";
  if (Array.isArray(value)) {
    return `[${shown(value).map((item) => show(item, level + 1)).join(",")}${rest(value)}]`;
  }
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) return `<${prototype.constructor?.name}>`;
  const entries = Object.entries(value);
  const text = shown(entries).map(([key, item]) => {
    return `${key}:${SECRET_KEY.test(key) ? "***" : show(item, level + 1)}`;
  });
  return `{${text.join(",")}${rest(entries)}}`;
}

function shown<T>(items: readonly T[]): readonly T[] {
  return items.slice(0, 8);
}

function rest(items: readonly unknown[]): string {
  return items.length > 8 ? `,… ${items.length - 8} more` : "";
}
