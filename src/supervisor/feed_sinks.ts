/**
 * Gives what happens to plugins to the sinks of a host.
 *
 * @module
 */

import { CallTimeoutError } from "../errors.ts";
import type { ExitReason } from "../errors.ts";
import { teeSink } from "../observe/mod.ts";
import type { Sink } from "../observe/mod.ts";
import type { HostEvents, HostHooks } from "./host_events.ts";
import type { PluginStatus } from "./status.ts";

type Fields = Readonly<Record<string, unknown>>;
/** An event of the host → its kind and fields for a sink; null tells nothing. */
type Tell<K extends keyof HostEvents> = (
  event: HostEvents[K],
) => readonly [kind: string, fields: Fields] | null;

/** Ends that a limit of the plugin's brought about. */
const LIMIT_REASONS: ReadonlySet<ExitReason> = new Set<ExitReason>([
  "memory-limit",
  "out-of-memory",
  "cpu-limit",
  "wall-timeout",
  "output-limit",
]);

/**
 * Listen for the sinks. Events that no sink wants are not listened to, so that making them costs nothing.
 *
 * @param hooks The host's listeners.
 * @param sinks Who wants to know; they stay the caller's.
 */
export function feedSinks(hooks: HostHooks, sinks: readonly Sink[]): void {
  if (sinks.length === 0) return;
  const feed = feeder(hooks, teeSink(...sinks.map(selective)));
  feed("spawned", ["spawned"], ({ plugin: _, ...fields }) => ["spawned", fields]);
  feed("ready", ["ready"], ({ plugin: _, ...fields }) => ["ready", fields]);
  feed("warning", ["warning"], ({ text }) => ["warning", { text }]);
  feed("output", ["output"], ({ stream, line }) => ["output", { stream, line }]);
  feed("permission", ["permission"], ({ plugin: _, at: __, ...fields }) => ["permission", fields]);
  feed("after-call", ["call"], callFields);
  feed("reload", ["reloaded", "reload-failed"], reloadFields);
  feed("status", ["crashed", "restarting", "quarantined", "stopped"], ({ status }) => statusFields(status));
  feed("status", ["limit"], ({ status }) => limitFields(status));
}

function feeder(hooks: HostHooks, sink: Sink) {
  return <K extends Exclude<keyof HostEvents, "listener-error">>(
    name: K,
    kinds: readonly string[],
    tell: Tell<K>,
  ): void => {
    if (!kinds.some((kind) => sink.wants?.(kind) ?? true)) return;
    hooks.on(name, (event) => {
      const told = tell(event);
      if (told === null) return;
      const at = "at" in event && typeof event.at === "number" ? event.at : Date.now();
      sink.emit(Object.freeze({ at, plugin: event.plugin, kind: told[0], fields: Object.freeze(told[1]) }));
    });
  };
}

/** A sink gets only what it wants, whatever the others want. */
function selective(sink: Sink): Sink {
  return {
    wants: (kind) => sink.wants?.(kind) ?? true,
    emit: (event) => {
      if (sink.wants?.(event.kind) ?? true) sink.emit(event);
    },
  };
}

function callFields({ method, durationMs, error }: HostEvents["after-call"]): readonly [string, Fields] {
  const outcome = callOutcome(error);
  return [
    "call",
    outcome === "error" ? { method, outcome, durationMs, error } : { method, outcome, durationMs },
  ];
}

function callOutcome(error: unknown): "ok" | "timeout" | "aborted" | "error" {
  if (error === null) return "ok";
  if (error instanceof CallTimeoutError) return "timeout";
  if (error instanceof DOMException && error.name === "TimeoutError") return "timeout";
  return error instanceof DOMException && error.name === "AbortError" ? "aborted" : "error";
}

function reloadFields({ event }: HostEvents["reload"]): readonly [string, Fields] | null {
  if (event.kind === "reloaded") return ["reloaded", {}];
  return event.kind === "failed" ? ["reload-failed", { error: event.error }] : null;
}

function statusFields(status: PluginStatus): readonly [string, Fields] | null {
  const { generation } = status;
  switch (status.state) {
    case "starting":
    case "running":
      return null;
    case "crashed": {
      const { reason, exitCode, signal } = status;
      return ["crashed", { generation, reason, exitCode, signal }];
    }
    case "restarting":
      return ["restarting", { generation, attempt: status.attempt, nextAt: status.nextAt }];
    case "quarantined":
      return ["quarantined", { generation, crashes: status.crashes }];
    case "terminated":
      return ["stopped", { generation, reason: status.reason, exitCode: status.exitCode }];
  }
}

function limitFields(status: PluginStatus): readonly [string, Fields] | null {
  if (status.state !== "crashed" || !LIMIT_REASONS.has(status.reason)) return null;
  return ["limit", { generation: status.generation, limit: status.reason }];
}
