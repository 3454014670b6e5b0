/**
 * A queue in which more urgent items come first and equals keep their order.
 *
 * @module
 */

/** First in, first out within each priority; higher priorities first. */
export class TaskQueue<T> {
  /** Buckets by falling priority. Sets keep insertion order and forget an item without a search. */
  readonly #buckets: { readonly priority: number; readonly items: Set<T> }[] = [];
  #size = 0;

  /** Items that wait. */
  get size(): number {
    return this.#size;
  }

  /** Adds an item behind its equals. An item can be in the queue only once. */
  push(item: T, priority: number): void {
    let index = this.#buckets.findIndex((bucket) => bucket.priority <= priority);
    if (index === -1) index = this.#buckets.length;
    let bucket = this.#buckets[index];
    if (bucket?.priority !== priority) {
      bucket = { priority, items: new Set() };
      this.#buckets.splice(index, 0, bucket);
    }
    bucket.items.add(item);
    this.#size++;
  }

  /** Takes the first item out. */
  shift(): T | undefined {
    return this.#take(this.#buckets[0]);
  }

  /** Takes the oldest of the least urgent items out. */
  dropOldest(): T | undefined {
    return this.#take(this.#buckets.at(-1));
  }

  /** Takes an item out. Returns whether it was there. */
  remove(item: T): boolean {
    return this.#buckets.some((bucket) => bucket.items.has(item) && this.#delete(bucket, item));
  }

  #take(bucket: { readonly priority: number; readonly items: Set<T> } | undefined): T | undefined {
    if (bucket === undefined) return undefined;
    for (const item of bucket.items) {
      this.#delete(bucket, item);
      return item;
    }
    return undefined;
  }

  /** Empty buckets go at once, so that a caller who invents priorities leaves nothing behind. */
  #delete(bucket: { readonly priority: number; readonly items: Set<T> }, item: T): boolean {
    bucket.items.delete(item);
    if (bucket.items.size === 0) this.#buckets.splice(this.#buckets.indexOf(bucket), 1);
    this.#size--;
    return true;
  }
}
