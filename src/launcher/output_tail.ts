/**
 * The end of what a process wrote.
 *
 * @module
 */

/** Keeps the last bytes of a stream and forgets the rest. */
export class OutputTail {
  readonly #bytes: Uint8Array;
  #end = 0;
  #total = 0;

  /**
   * @param maxBytes How many bytes are kept.
   */
  constructor(maxBytes: number) {
    this.#bytes = new Uint8Array(maxBytes);
  }

  /**
   * Take note of the next chunk.
   *
   * @param chunk Copied; the caller keeps it.
   */
  push(chunk: Uint8Array): void {
    const size = this.#bytes.length;
    this.#total += chunk.length;
    const kept = chunk.subarray(Math.max(0, chunk.length - size));
    const first = kept.subarray(0, size - this.#end);
    this.#bytes.set(first, this.#end);
    this.#bytes.set(kept.subarray(first.length), 0);
    this.#end = (this.#end + kept.length) % size;
  }

  /**
   * @returns The kept bytes as text. A character that was cut in two at the start is left out.
   */
  text(): string {
    const size = this.#bytes.length;
    if (this.#total <= size) return new TextDecoder().decode(this.#bytes.subarray(0, this.#total));
    const joined = new Uint8Array(size);
    joined.set(this.#bytes.subarray(this.#end));
    joined.set(this.#bytes.subarray(0, this.#end), size - this.#end);
    let start = 0;
    while (start < 3 && (joined[start]! & 0xc0) === 0x80) start++;
    return new TextDecoder().decode(joined.subarray(start));
  }
}
