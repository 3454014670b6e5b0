/**
 * What a plugin can listen to in its own life.
 *
 * @module
 */

/** Moments in the life of a plugin as it sees them itself, and what hooks get. */
export interface LifecycleMoments {
  /** Its modules have run; nothing can be called yet. Hooks are awaited; one that throws fails the load. */
  readonly "before-load": undefined;
  /** The host knows its exports: calls come from now on. */
  readonly loaded: undefined;
  /** An export is about to run for the host. */
  readonly "before-call": {
    /** Name of the export, such as `"run"` or `"images.resize"`. */
    readonly method: string;
    /** What it gets. */
    readonly args: readonly unknown[];
  };
  /** An export has ended: a function when its promise is settled, a generator when nothing more comes. */
  readonly "after-call": {
    /** Name of the export. */
    readonly method: string;
    /** How long it took, in milliseconds. */
    readonly durationMs: number;
    /** What it threw; `null` when it did not. */
    readonly error: unknown;
  };
  /** The host stops it. Hooks are awaited within the grace period, last registered first. */
  readonly unload: undefined;
}

/** Called at a moment of a plugin's life. */
export type LifecycleHook<K extends keyof LifecycleMoments> = (event: LifecycleMoments[K]) => unknown;

/** Registers a hook; disposing the result removes it. */
export type OnLifecycle = <K extends keyof LifecycleMoments>(moment: K, hook: LifecycleHook<K>) => Disposable;
