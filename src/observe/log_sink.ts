/**
 * Writes events as lines for people.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import { jsonLine } from "./json_line.ts";
import type { ObservedEvent, Sink } from "./types.ts";

/** How much an event matters, least first. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** What to write, and where. */
export interface LogSinkOptions {
  /** Receives each line, without line feed. */
  readonly write: (line: string) => void;
  /** Least level that is written. @default "info" */
  readonly level?: LogLevel;
  /** Lines for people, or JSON for programs. @default "text" */
  readonly format?: "text" | "json";
}

const ORDER: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** Kinds whose level depends on the event. */
const SAID_BY_FIELDS: readonly string[] = ["log", "permission"];

/** Levels of the kinds that are not `info`. */
const LEVELS: Readonly<Record<string, LogLevel>> = {
  call: "debug",
  spawned: "debug",
  warning: "warn",
  restarting: "warn",
  limit: "warn",
  crashed: "error",
  quarantined: "error",
};

/**
 * Make a sink that writes a log.
 *
 * Text that a plugin wrote is cleaned of control characters, so that it can neither move the cursor nor forge a line.
 *
 * @param options Where to write, from which level on, in which format.
 * @returns The sink.
 *
 * @example
 * ```ts
 * import { logSink } from "./log_sink.ts";
 * import { equal } from "node:assert/strict";
 *
 * const lines: string[] = [];
 * logSink({ write: (line) => lines.push(line) }).emit({ at: 0, plugin: "a", kind: "ready", fields: { pid: 7 } });
 * equal(lines[0], "1970-01-01T00:00:00.000Z info  a: ready pid=7");
 * ```
 */
export function logSink(options: LogSinkOptions): Sink {
  const { write, level = "info", format = "text" } = options;
  const least = ORDER.indexOf(level);
  return {
    wants: (kind) => SAID_BY_FIELDS.includes(kind) || ORDER.indexOf(levelOfKind(kind)) >= least,
    emit(event) {
      const own = levelOf(event);
      if (ORDER.indexOf(own) < least) return;
      write(format === "json" ? jsonLine(event) : textLine(event, own));
    },
  };
}

/** A plugin says itself how much its log lines matter. */
function levelOf({ kind, fields }: ObservedEvent): LogLevel {
  const said = fields.level;
  if (kind === "log" && ORDER.includes(said as LogLevel)) return said as LogLevel;
  if (kind === "permission") return fields.outcome === "deny" ? "warn" : "debug";
  return levelOfKind(kind);
}

function levelOfKind(kind: string): LogLevel {
  return Object.hasOwn(LEVELS, kind) ? LEVELS[kind] ?? "info" : "info";
}

function textLine({ at, plugin, kind, fields }: ObservedEvent, level: LogLevel): string {
  const shown = Object.entries(fields).filter(([key, value]) =>
    value !== undefined && !(kind === "log" && key === "level")
  )
    .map(([key, value]) => `${cleanText(key, 64)}=${fieldText(value)}`);
  const who = cleanText(plugin ?? "host", 64);
  return [new Date(at).toISOString(), level.padEnd(5), `${who}:`, cleanText(kind, 64), ...shown].join(" ");
}

function fieldText(value: unknown): string {
  if (typeof value === "number" || typeof value === "boolean" || value === null) return String(value);
  const text = typeof value === "string" ? value : fieldJson(value);
  const clean = cleanText(text, 500);
  return /^[\w./:@+-]+$/.test(clean) ? clean : `"${clean.replaceAll('"', '\\"')}"`;
}

function fieldJson(value: unknown): string {
  const line = jsonLine({ at: 0, plugin: null, kind: "", fields: { value } });
  return JSON.stringify((JSON.parse(line) as { fields: { value: unknown } }).fields.value) ?? "";
}
