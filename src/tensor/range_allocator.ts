/**
 * Hands out parts of a range of numbers: addresses of a window, bytes of an arena.
 *
 * @module
 */

interface FreeRange {
  start: number;
  end: number;
}

/** First fit over a list of free ranges, which grow together again when parts come back. */
export class RangeAllocator {
  /** Length of the whole range. */
  readonly bytes: number;
  readonly #granule: number;
  readonly #free: FreeRange[];
  #used = 0;

  /**
   * @param bytes Length of the range.
   * @param granule Every part starts at a multiple of it and is a multiple long.
   */
  constructor(bytes: number, granule: number) {
    this.bytes = bytes;
    this.#granule = granule;
    this.#free = [{ start: 0, end: bytes }];
  }

  /** What is handed out, rounded up to granules. */
  get usedBytes(): number {
    return this.#used;
  }

  /**
   * The length that a part really takes.
   *
   * @param bytes What is needed, more than 0.
   * @returns The next multiple of the granule.
   */
  rounded(bytes: number): number {
    return Math.ceil(bytes / this.#granule) * this.#granule;
  }

  /**
   * Take a part.
   *
   * @param bytes What is needed, more than 0.
   * @returns Where it starts, or null if no free range is long enough.
   */
  allocate(bytes: number): number | null {
    const length = this.rounded(bytes);
    const index = this.#free.findIndex(({ start, end }) => end - start >= length);
    const range = this.#free[index];
    if (range === undefined) return null;
    const { start } = range;
    range.start += length;
    if (range.start === range.end) this.#free.splice(index, 1);
    this.#used += length;
    return start;
  }

  /**
   * Give a part back.
   *
   * @param start Where it starts.
   * @param bytes What was asked for when it was taken.
   */
  free(start: number, bytes: number): void {
    const length = this.rounded(bytes);
    const end = start + length;
    const index = this.#indexAfter(start);
    const before = this.#free[index - 1];
    const after = this.#free[index];
    this.#used -= length;
    if (before?.end === start && after?.start === end) {
      before.end = after.end;
      this.#free.splice(index, 1);
    } else if (before?.end === start) before.end = end;
    else if (after?.start === end) after.start = start;
    else this.#free.splice(index, 0, { start, end });
  }

  /** Position of the first free range that starts after an address. */
  #indexAfter(address: number): number {
    let low = 0;
    let high = this.#free.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#free[middle]?.start ?? 0) > address) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}
