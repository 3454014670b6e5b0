/**
 * The current call, kept across awaits only for plugins that can ask for it.
 *
 * @module
 */

import { synchronousStore } from "../rpc/ambient.ts";
import { loadAmbientStore } from "../rpc/mod.ts";
import type { AmbientStore } from "../rpc/mod.ts";

/** A store that becomes the real one when `load()` is called: loading that takes 5 ms of a start. */
export interface LazyAmbientStore extends AmbientStore {
  /** From now on the current call holds across awaits. */
  load(): Promise<void>;
  /** Loads in advance what `load()` needs, and changes nothing else. */
  prefetch(): Promise<void>;
}

/**
 * Make a store.
 *
 * @returns A store that holds until the first await, until it is loaded.
 */
export function lazyAmbientStore(): LazyAmbientStore {
  let store = synchronousStore();
  return {
    run: (context, body) => store.run(context, body),
    get: () => store.get(),
    prefetch: async () => void await loadAmbientStore(),
    load: async () => {
      store = await loadAmbientStore();
    },
  };
}
