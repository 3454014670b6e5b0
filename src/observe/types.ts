/**
 * Sinks that the supervisor feeds.
 *
 * @module
 */

/** Something that happened to a plugin or its host. */
export interface ObservedEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly plugin: string | null;
  /** `spawned`, `ready`, `output`, `crashed`, `restarting`, `stopped`, `call`, `permission`, `limit`, `log`, … */
  readonly kind: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Receives events; must not throw. */
export interface Sink {
  emit(event: ObservedEvent): void;
}
