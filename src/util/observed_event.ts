/**
 * Events about plugins, and who receives them.
 *
 * @module
 */

/** Something that happened to a plugin or its host. */
export interface ObservedEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Name of the plugin; null for the host itself. */
  readonly plugin: string | null;
  /**
   * `warning`, `spawned`, `ready`, `output`, `call`, `permission`, `limit`, `crashed`, `restarting`, `quarantined`, `reloaded`,
   * `stopped`, …
   */
  readonly kind: string;
  /** What is known about it; depends on the kind. */
  readonly fields: Readonly<Record<string, unknown>>;
}

/** Receives events; must not throw. */
export interface Sink {
  /**
   * Whether it takes events of a kind: those that no sink takes are not even made.
   *
   * @param kind See {@linkcode ObservedEvent}.
   * @default takes all
   */
  wants?(kind: string): boolean;
  /**
   * Take an event.
   *
   * @param event What happened. Shared with other sinks.
   */
  emit(event: ObservedEvent): void;
}
