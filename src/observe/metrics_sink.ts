/**
 * Counts events and measures calls, plugin by plugin.
 *
 * @module
 */

import type { ObservedEvent, Sink } from "./types.ts";

/** Durations of calls, in buckets that double. */
export interface DurationHistogram {
  /** Calls that ended. */
  readonly count: number;
  /** What they took together, in milliseconds. */
  readonly sumMs: number;
  /** What the longest took, in milliseconds. */
  readonly maxMs: number;
  /** Upper bounds in milliseconds, the last being Infinity, with the calls that took at most so long. */
  readonly buckets: readonly { readonly upToMs: number; readonly count: number }[];
}

/** What one plugin did so far. */
export interface PluginMetrics {
  /** Events by kind. */
  readonly events: Readonly<Record<string, number>>;
  /** Ended calls by outcome, such as `ok`, `error`, `timeout`. */
  readonly calls: Readonly<Record<string, number>>;
  /** Crashes by reason. */
  readonly crashes: Readonly<Record<string, number>>;
  /** How long its calls took. */
  readonly durations: DurationHistogram;
}

/** Everything at one moment. */
export interface MetricsSnapshot {
  /** Events that belong to no plugin, by kind. */
  readonly host: Readonly<Record<string, number>>;
  /** By name of the plugin. */
  readonly plugins: Readonly<Record<string, PluginMetrics>>;
}

/** A sink that counts. */
export interface MetricsSink extends Sink {
  /** What was counted so far, as plain data that does not change any more. */
  snapshot(): MetricsSnapshot;
}

/** From 1/64 ms to 65 s, doubling; one more for everything above. */
const UPPER_BOUNDS: readonly number[] = [
  ...Array.from({ length: 23 }, (_, index) => 2 ** (index - 6)),
  Infinity,
];

/** More names than this are counted as one: kinds and outcomes may come from plugins. */
const MAX_NAMES = 64;

/**
 * Make a sink that counts.
 *
 * @returns The sink.
 *
 * @example
 * ```ts
 * import { metricsSink } from "./metrics_sink.ts";
 * import { equal } from "node:assert/strict";
 *
 * const metrics = metricsSink(); // among the `sinks` of createHost()
 * metrics.emit({ at: 0, plugin: "adder", kind: "call", fields: { method: "add", outcome: "ok", durationMs: 1 } });
 * equal(metrics.snapshot().plugins.adder?.calls.ok, 1);
 * ```
 */
export function metricsSink(): MetricsSink {
  const host = new Counter();
  const plugins = new Map<string, PluginCounters>();
  return {
    emit(event) {
      if (event.plugin === null) return host.add(event.kind);
      const counters = plugins.get(event.plugin) ?? new PluginCounters();
      plugins.set(event.plugin, counters);
      counters.add(event);
    },
    snapshot: () => ({
      host: host.record(),
      plugins: record([...plugins].map(([name, counters]) => [name, counters.metrics()])),
    }),
  };
}

class PluginCounters {
  readonly #events = new Counter();
  readonly #calls = new Counter();
  readonly #crashes = new Counter();
  readonly #buckets = UPPER_BOUNDS.map(() => 0);
  #count = 0;
  #sumMs = 0;
  #maxMs = 0;

  add({ kind, fields }: ObservedEvent): void {
    this.#events.add(kind);
    if (kind === "crashed") this.#crashes.add(String(fields.reason));
    if (kind !== "call") return;
    this.#calls.add(String(fields.outcome));
    if (typeof fields.durationMs === "number" && fields.durationMs >= 0) this.#addDuration(fields.durationMs);
  }

  metrics(): PluginMetrics {
    const buckets = UPPER_BOUNDS.map((upToMs, index) => ({ upToMs, count: this.#buckets[index] ?? 0 }));
    return {
      events: this.#events.record(),
      calls: this.#calls.record(),
      crashes: this.#crashes.record(),
      durations: { count: this.#count, sumMs: this.#sumMs, maxMs: this.#maxMs, buckets },
    };
  }

  #addDuration(ms: number): void {
    this.#count++;
    this.#sumMs += ms;
    this.#maxMs = Math.max(this.#maxMs, ms);
    const index = UPPER_BOUNDS.findIndex((bound) => ms <= bound);
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1;
  }
}

class Counter {
  readonly #counts = new Map<string, number>();

  add(name: string): void {
    const known = this.#counts.has(name) || this.#counts.size < MAX_NAMES ? name : "other";
    this.#counts.set(known, (this.#counts.get(known) ?? 0) + 1);
  }

  record(): Readonly<Record<string, number>> {
    return record([...this.#counts]);
  }
}

/** Names come from outside: no prototype that one of them could mean. */
function record<T>(entries: readonly (readonly [string, T])[]): Readonly<Record<string, T>> {
  const result: Record<string, T> = Object.create(null);
  for (const [name, value] of entries) result[name] = value;
  return Object.freeze(result);
}
