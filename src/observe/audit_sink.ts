/**
 * Keeps what plugins asked for and what they were answered.
 *
 * @module
 */

import type { ObservedEvent, Sink } from "./types.ts";

/** One question about a permission, and the answer that the host gave. */
export interface AuditEntry {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Name of the plugin. */
  readonly plugin: string | null;
  /** Such as `"read"` or `"net"`. */
  readonly permission: string;
  /** What it was about, such as a path; null for "all". */
  readonly value: string | null;
  /** What it was told. */
  readonly outcome: "allow" | "deny";
  /** Who decided, such as `"policy"`; empty if it was not said. */
  readonly by: string;
  /** Why, for people. */
  readonly reason: string;
}

/** What to keep. */
export interface AuditSinkOptions {
  /** Entries that are kept; older ones are forgotten first. @default 10_000 */
  readonly capacity?: number;
  /** Also receives every entry at once, for an append-only file of the caller's. @default none */
  readonly onEntry?: (entry: AuditEntry) => void;
}

/** A sink that keeps permission events. */
export interface AuditSink extends Sink {
  /** Entries that were forgotten because there were too many. */
  readonly forgotten: number;
  /**
   * What was kept, oldest first.
   *
   * @param filter Only one plugin, or only one outcome.
   * @returns A copy.
   */
  entries(
    filter?: { readonly plugin?: string; readonly outcome?: AuditEntry["outcome"] },
  ): readonly AuditEntry[];
}

/**
 * Make a sink that keeps what was asked and answered. It lives in the host, where no plugin can change it.
 *
 * @param options How many entries to keep.
 * @returns The sink.
 * @throws {RangeError} If the capacity is not a positive whole number.
 *
 * @example
 * ```ts
 * import { auditSink } from "./audit_sink.ts";
 * import { equal } from "node:assert/strict";
 *
 * const audit = auditSink(); // among the `sinks` of createHost()
 * const fields = { permission: "read", value: "/etc", outcome: "deny", by: "policy", reason: "not granted" };
 * audit.emit({ at: 0, plugin: "nosy", kind: "permission", fields });
 * equal(audit.entries({ outcome: "deny" })[0]?.value, "/etc");
 * ```
 */
export function auditSink(options: AuditSinkOptions = {}): AuditSink {
  const { capacity = 10_000, onEntry } = options;
  if (!Number.isSafeInteger(capacity) || capacity < 1) {
    throw new RangeError(`Cannot keep ${capacity} entries as the capacity must be a positive whole number`);
  }
  const kept: AuditEntry[] = [];
  let total = 0;
  return {
    wants: (kind) => kind === "permission",
    get forgotten() {
      return total - Math.min(total, capacity);
    },
    emit(event) {
      if (event.kind !== "permission") return;
      const entry = auditEntry(event);
      kept[total++ % capacity] = entry;
      onEntry?.(entry);
    },
    entries({ plugin, outcome } = {}) {
      const start = total > capacity ? total % capacity : 0;
      return [...kept.slice(start), ...kept.slice(0, start)].filter((entry) =>
        (plugin === undefined || entry.plugin === plugin) &&
        (outcome === undefined || entry.outcome === outcome)
      );
    },
  };
}

function auditEntry({ at, plugin, fields }: ObservedEvent): AuditEntry {
  return Object.freeze({
    at,
    plugin,
    permission: text(fields.permission),
    value: fields.value === null || fields.value === undefined ? null : text(fields.value),
    // Whatever is not clearly an "allow" is shown as what it is in effect.
    outcome: fields.outcome === "allow" ? "allow" : "deny",
    by: text(fields.by),
    reason: text(fields.reason),
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value : value === undefined ? "" : String(value);
}
