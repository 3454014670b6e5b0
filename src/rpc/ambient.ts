/**
 * The call that the running code serves, found without passing it along.
 *
 * @module
 */

import type { AmbientStore, CallContext } from "./types.ts";

// The one piece of state in this module: which call runs is a fact about the thread, like its stack.
const thread: { current: CallContext | undefined; store: AmbientStore | undefined } = {
  current: undefined,
  store: undefined,
};

/**
 * The call that the running code serves. Across awaits only where sessions got the store of `loadAmbientStore()`.
 *
 * @returns Its signal, its deadline and `progress()`; undefined outside of a served call.
 *
 * @example
 * ```ts
 * import { currentCall } from "./ambient.ts";
 *
 * const database = {
 *   async find(name: string): Promise<string> {
 *     currentCall()?.progress(0.5);
 *     await Promise.resolve();
 *     currentCall()?.signal.throwIfAborted();
 *     return name;
 *   },
 * };
 * await database.find("a"); // outside of a call: nothing listens
 * ```
 */
export function currentCall(): CallContext | undefined {
  return thread.current ?? thread.store?.get();
}

/**
 * A store that keeps `currentCall()` across awaits. Loads `node:async_hooks` (about 3 ms in a cold process) once.
 *
 * @returns The store of this process.
 */
export async function loadAmbientStore(): Promise<AmbientStore> {
  if (thread.store !== undefined) return thread.store;
  const { AsyncLocalStorage } = await import("node:async_hooks");
  if (thread.store !== undefined) return thread.store;
  const storage = new AsyncLocalStorage<CallContext | undefined>();
  thread.store = {
    run: (context, body) => storage.run(context, body, context),
    get: () => storage.getStore(),
  };
  return thread.store;
}

/**
 * The store of a session that was given none: `currentCall()` holds until the first await.
 *
 * @returns A store without dependencies.
 */
export function synchronousStore(): AmbientStore {
  return {
    run(context, body) {
      const outer = thread.current;
      thread.current = context;
      try {
        return body(context);
      } finally {
        thread.current = outer;
      }
    },
    get: () => thread.current,
  };
}
