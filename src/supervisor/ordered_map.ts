/**
 * Maps an iterable with some work at once and yields the results in order.
 *
 * @module
 */

/** Options of {@linkcode orderedMap}. */
export interface OrderedMapOptions {
  /** Items in work or waiting to be taken, at most. @default as many as a pool runs at once */
  readonly concurrency?: number;
  /** Cancels what is in work and ends the iteration with its reason. @default none */
  readonly signal?: AbortSignal;
}

/**
 * Maps items with bounded concurrency.
 *
 * The first error, in the order of the items, cancels all others and ends the iteration. Leaving the loop cancels too.
 *
 * @param items Read only as far as `concurrency` allows ahead of the results that were taken.
 * @param work Gets an item, its index and a signal that aborts when its result is no longer wanted.
 * @param options `concurrency` and `signal`.
 * @returns The results, in the order of the items.
 * @throws {RangeError} If `concurrency` is not a whole number of at least 1.
 */
export async function* orderedMap<I, T>(
  items: Iterable<I> | AsyncIterable<I>,
  work: (item: I, index: number, signal: AbortSignal) => Promise<T>,
  options: OrderedMapOptions = {},
): AsyncGenerator<T, void, void> {
  const { concurrency = 1, signal } = options;
  if (!Number.isSafeInteger(concurrency) || concurrency < 1) {
    throw new RangeError(`Cannot use "concurrency" as a number of tasks: it is ${concurrency}`);
  }
  const controller = new AbortController();
  const aborted = Promise.withResolvers<never>();
  aborted.promise.catch(() => {});
  const onAbort = () => {
    controller.abort(signal?.reason);
    aborted.reject(signal?.reason);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  const source = iterate(items);
  const inWork: Promise<T>[] = [];
  let pulling: Promise<IteratorResult<I>> | null = null;
  let index = 0;
  try {
    signal?.throwIfAborted();
    for (let isDone = false; !isDone || inWork.length > 0;) {
      if (!isDone && inWork.length < concurrency) pulling ??= quiet(source.next());
      const first = inWork[0];
      // A result is handed on as soon as it is there, even if the source is slow to give the next item.
      if (first !== undefined && (pulling === null || await comesFirst(first, pulling))) {
        inWork.shift();
        yield await Promise.race([first, aborted.promise]);
      } else if (pulling !== null) {
        const next: IteratorResult<I> = await Promise.race([pulling, aborted.promise]);
        pulling = null;
        if (next.done === true) isDone = true;
        else inWork.push(quiet(work(next.value, index++, controller.signal)));
      }
    }
  } finally {
    signal?.removeEventListener("abort", onAbort);
    controller.abort(
      new DOMException("Cannot use the result as asked: the iteration has ended", "AbortError"),
    );
    // A source that is still being asked would answer only after its pending item.
    const closing = Promise.try(() => source.return?.());
    if (pulling === null) await closing;
    else quiet(closing);
  }
}

/** Marks a promise as looked after: it is taken in its turn, later. */
function quiet<P extends Promise<unknown>>(promise: P): P {
  promise.catch(() => {});
  return promise;
}

/** Whether `result` settles before `item` does. */
function comesFirst(result: Promise<unknown>, item: Promise<unknown>): Promise<boolean> {
  return Promise.race([result.then(() => true, () => true), item.then(() => false, () => false)]);
}

function iterate<I>(items: Iterable<I> | AsyncIterable<I>): AsyncIterator<I> {
  if (Symbol.asyncIterator in items) return items[Symbol.asyncIterator]();
  const iterator = items[Symbol.iterator]();
  return {
    next: () => Promise.try(() => iterator.next()),
    return: () => Promise.try(() => iterator.return?.() ?? { done: true, value: undefined }),
  };
}
