/**
 * Sinks that the supervisor feeds.
 *
 * @module
 */

export type { ObservedEvent, Sink } from "../util/observed_event.ts";
