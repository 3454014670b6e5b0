/**
 * Shared memory that one side cuts into blocks for small things.
 *
 * @module
 */

import { BLOCK_ALIGNMENT } from "./place.ts";
import { RangeAllocator } from "./range_allocator.ts";

/** Pages are of this size or a multiple; giving back parts of larger ones is refused by nobody and does nothing. */
const PAGE_BYTES = 4096;

/** One arena, as its allocating side sees it. */
export class Arena {
  /** Where it is mapped in the window. */
  readonly offset: number;
  /** Its size. */
  readonly bytes: number;
  readonly #blocks: RangeAllocator;
  readonly #discard: (offset: number, bytes: number) => void;

  /**
   * @param offset Where it is mapped in the window.
   * @param bytes Its size.
   * @param discard Gives pages back to the machine.
   */
  constructor(offset: number, bytes: number, discard: (offset: number, bytes: number) => void) {
    this.offset = offset;
    this.bytes = bytes;
    this.#blocks = new RangeAllocator(bytes, BLOCK_ALIGNMENT);
    this.#discard = discard;
  }

  /** What is handed out. */
  get usedBytes(): number {
    return this.#blocks.usedBytes;
  }

  /**
   * Take a block.
   *
   * @param bytes Its size.
   * @returns Where it starts in the arena, or null if there is no room.
   */
  allocate(bytes: number): number | null {
    return this.#blocks.allocate(bytes);
  }

  /**
   * Give a block back. Its whole pages go back to the machine at once, parts of pages when the arena is empty.
   *
   * @param offset Where it starts in the arena.
   * @param bytes Its size.
   */
  free(offset: number, bytes: number): void {
    this.#blocks.free(offset, bytes);
    if (this.usedBytes === 0) return this.#discard(0, this.bytes);
    const start = Math.ceil(offset / PAGE_BYTES) * PAGE_BYTES;
    const end = Math.floor((offset + bytes) / PAGE_BYTES) * PAGE_BYTES;
    if (end > start) this.#discard(start, end - start);
  }
}
