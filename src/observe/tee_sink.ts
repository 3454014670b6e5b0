/**
 * Gives every event to several sinks.
 *
 * @module
 */

import type { ObservedEvent, Sink } from "./types.ts";

/** A sink that passes on, and counts what its sinks could not take. */
export interface TeeSink extends Sink {
  /** How often a sink threw, which it must not. */
  readonly failures: number;
}

/**
 * Make one sink of several. One that throws keeps neither the others nor the plugin from going on.
 *
 * @param sinks Receive every event, in this order. They stay the caller's.
 * @returns The sink.
 *
 * @example
 * ```ts
 * import { metricsSink, teeSink } from "./mod.ts";
 * import { equal } from "node:assert/strict";
 *
 * const metrics = metricsSink();
 * teeSink(metrics).emit({ at: 0, plugin: "a", kind: "spawned", fields: {} });
 * equal(metrics.snapshot().plugins.a?.events.spawned, 1);
 * ```
 */
export function teeSink(...sinks: readonly Sink[]): TeeSink {
  let failures = 0;
  return {
    get failures() {
      return failures;
    },
    wants: (kind) => sinks.some((sink) => sink.wants?.(kind) ?? true),
    emit(event: ObservedEvent) {
      for (const sink of sinks) {
        try {
          sink.emit(event);
        } catch {
          // Observers watch what happens; they may not change it. The count is what tells.
          failures++;
        }
      }
    },
  };
}
