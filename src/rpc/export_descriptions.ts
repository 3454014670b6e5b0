/**
 * Checks descriptions of exports and services that came from a peer.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { ExportDescription, RpcLimits } from "./types.ts";

const kinds: ReadonlySet<unknown> = new Set(["function", "stream", "object", "value"]);
const MAX_LEVELS = 16;

/**
 * Parse what a peer says about its exports.
 *
 * @param value Decoded, hostile.
 * @param level How deep in the tree this is.
 * @returns Frozen descriptions.
 * @throws {ProtocolError} If it is not a list of descriptions.
 */
export function exportDescriptions(value: unknown, level = 0): readonly ExportDescription[] {
  if (!Array.isArray(value) || level > MAX_LEVELS) throw malformed("exports");
  return Object.freeze(value.map((entry: unknown) => {
    if (typeof entry !== "object" || entry === null) throw malformed("exports");
    const { name, kind, members, value } = entry as Record<string, unknown>;
    if (typeof name !== "string" || !kinds.has(kind)) throw malformed("exports");
    return Object.freeze({
      name,
      kind: kind as ExportDescription["kind"],
      ...(kind === "object" ? { members: exportDescriptions(members, level + 1) } : {}),
      ...(kind === "value" ? { value } : {}),
    });
  }));
}

/**
 * Parse the limits that a peer announces.
 *
 * @param value Decoded, hostile.
 * @param own Our limits: their keys are those that count.
 * @returns Those it gave, each a positive integer.
 * @throws {ProtocolError} If one is something else.
 */
export function announcedLimits(value: unknown, own: RpcLimits): Partial<RpcLimits> {
  if (typeof value !== "object" || value === null) throw malformed("limits");
  const limits: Record<string, number> = {};
  for (const key of Object.keys(own)) {
    const limit = Object.hasOwn(value, key) ? (value as Record<string, unknown>)[key] : undefined;
    if (limit === undefined) continue;
    if (typeof limit !== "number" || !Number.isSafeInteger(limit) || limit < 1) throw malformed("limits");
    limits[key] = limit;
  }
  return Object.freeze(limits);
}

function malformed(what: string): ProtocolError {
  return new ProtocolError(
    `Cannot read the peer's ${what} as PROTOCOL.md describes them: they have another shape`,
  );
}
