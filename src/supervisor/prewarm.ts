/**
 * Sandboxes for a plugin that has yet to be loaded for the first time.
 *
 * @module
 */

import type { GenerationRequest } from "./load_generation.ts";
import { bundledCode, unbundledCode } from "./plugin_code.ts";
import { isWarmable, spareKey, startSpare } from "./spare_sandbox.ts";

/**
 * Bundles a plugin into the cache and starts sandboxes for it. No code of it runs.
 *
 * @param request What will be loaded.
 * @param count How many sandboxes.
 * @returns Disposing it ends those that were not taken.
 * @throws As a load does, as far as it comes without the import; then nothing is left.
 */
export async function prewarm(request: GenerationRequest, count: number): Promise<AsyncDisposable> {
  const { context, config } = request;
  const abort = new AbortController();
  const signal = request.signal === undefined
    ? abort.signal
    : AbortSignal.any([request.signal, abort.signal]);
  await using spares = new AsyncDisposableStack();
  const begin = async (): Promise<void> => {
    spares.use(await context.warm.add(spareKey(request), await startSpare(request, signal)));
  };
  const prepared = config.bundle === false
    ? unbundledCode({ ...request, signal })
    : bundledCode({ ...request, signal });
  const work = [prepared, ...Array.from({ length: isWarmable(config) ? count : 0 }, begin)];
  try {
    await Promise.all(work);
  } catch (error) {
    abort.abort(error);
    await Promise.allSettled(work);
    throw error;
  }
  const kept = spares.move();
  return { [Symbol.asyncDispose]: () => kept.disposeAsync() };
}
