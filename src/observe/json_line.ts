/**
 * Writes an event as one line of JSON.
 *
 * @module
 */

import type { ObservedEvent } from "./types.ts";

/** Longest text of one field, in characters: plugins decide what stands in some of them. */
const MAX_TEXT = 4_096;
const MAX_DEPTH = 6;

/**
 * Write an event as JSON, whatever its fields hold.
 *
 * @param event The event.
 * @returns One line without line feed. Bigints become text, errors their name and message, cycles and depths a mark.
 */
export function jsonLine({ at, plugin, kind, fields }: ObservedEvent): string {
  return JSON.stringify({ at, plugin, kind, fields: plain(fields, []) });
}

function plain(value: unknown, above: readonly object[]): unknown {
  if (typeof value === "bigint") return value.toString();
  if (typeof value === "string") return value.length > MAX_TEXT ? `${value.slice(0, MAX_TEXT)}…` : value;
  if (typeof value === "function" || typeof value === "symbol") return `[${typeof value}]`;
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return { name: value.name, message: plain(value.message, above) };
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (above.includes(value)) return "[cycle]";
  if (above.length >= MAX_DEPTH) return "[too deep]";
  const path = [...above, value];
  if (Array.isArray(value)) return value.map((item) => plain(item, path));
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, path)]));
}
