/**
 * All shared memory of a host: it makes every piece, maps it, and counts it.
 *
 * @module
 */

import type { Native, Window } from "../native/types.ts";
import { MemoryBudget, pressure } from "./memory_budget.ts";
import { RangeAllocator } from "./range_allocator.ts";
import { Collector, type Hold, Storage } from "./storage.ts";
import type { TensorLimits } from "./types.ts";

/** Kept free for everybody else when the machine's memory is counted. */
const MACHINE_RESERVE_BYTES = 64 * 2 ** 20;
/** Smaller pieces are not worth asking the machine about. */
const WORTH_ASKING_BYTES = 2 ** 20;

/** One piece of shared memory; counted references. */
export class Region implements Hold {
  /** Its descriptor, open as long as there are references. */
  readonly fd: number;
  /** Its size. */
  readonly bytes: number;
  /** Guests that may write to it: it cannot be sealed before they let go. */
  writers = 0;
  /** Nobody, or nobody new, may write to it. */
  isSealed = false;
  readonly #end: (region: Region) => void;
  #references = 1;

  /**
   * @param fd Its descriptor, which it owns.
   * @param bytes Its size.
   * @param end Called once when there are no references.
   */
  constructor(fd: number, bytes: number, end: (region: Region) => void) {
    this.fd = fd;
    this.bytes = bytes;
    this.#end = end;
  }

  /** One more needs it. */
  retain(): this {
    this.#references++;
    return this;
  }

  /** One less needs it. */
  release(): void {
    this.#references--;
    if (this.#references === 0) this.#end(this);
  }
}

/** A part of a region, mapped into the window. */
class Mapping implements Hold {
  readonly #memory: HostMemory;
  readonly #region: Region;
  readonly #offset: number;
  readonly #released: () => void;
  #buffer: WeakRef<ArrayBuffer> | null = null;
  #isMapped = true;

  constructor(memory: HostMemory, region: Region, offset: number, released: () => void) {
    this.#released = released;
    this.#memory = memory;
    this.#region = region;
    this.#offset = offset;
  }

  /** Detach this buffer on release, so that nobody looks at what comes next at this address. */
  shownBy(buffer: ArrayBuffer): void {
    this.#buffer = new WeakRef(buffer);
  }

  release(): void {
    if (!this.#isMapped) return;
    this.#isMapped = false;
    detach(this.#buffer?.deref());
    this.#memory.unmap(this, this.#offset, this.#region.bytes);
    this.#region.release();
    this.#released();
  }
}

/** Makes, maps and counts shared memory. */
export class HostMemory implements Disposable {
  /** The native library. */
  readonly native: Native;
  /** Bounds. */
  readonly limits: TensorLimits;
  /** Counts everything. */
  readonly budget: MemoryBudget;
  /** Lets go of what was collected. */
  readonly collector: Collector = new Collector();
  readonly #addresses: RangeAllocator;
  readonly #window: Window;
  readonly #mappings = new Set<Hold>();
  readonly #regions = new Set<Region>();

  /**
   * @param native The native library.
   * @param limits Bounds.
   */
  constructor(native: Native, limits: TensorLimits) {
    this.native = native;
    this.limits = limits;
    this.budget = new MemoryBudget("totalBytes", limits.totalBytes);
    this.#window = native.reserveWindow(limits.windowBytes);
    this.#addresses = new RangeAllocator(limits.windowBytes, this.#window.pageBytes);
  }

  /** Pieces of shared memory that exist. */
  get regions(): number {
    return this.#regions.size;
  }

  /** Mappings that exist. */
  get mapped(): number {
    return this.#mappings.size;
  }

  /** Address space in use, in bytes. */
  get windowBytes(): number {
    return this.#addresses.usedBytes;
  }

  /**
   * New shared memory.
   *
   * @param bytes Its size.
   * @param budget What it is counted against.
   * @returns The memory with one reference, the caller's.
   * @throws {MemoryPressureError} If a bound would be passed, or the machine has too little.
   */
  region(bytes: number, budget: MemoryBudget = this.budget): Region {
    this.#askMachine(bytes);
    budget.take(bytes);
    try {
      const region = new Region(this.native.memfd(bytes), bytes, (ended) => {
        this.#regions.delete(ended);
        this.native.close(ended.fd);
        budget.give(bytes);
      });
      this.#regions.add(region);
      return region;
    } catch (error) {
      budget.give(bytes);
      throw error;
    }
  }

  /**
   * Map a region for good: an arena.
   *
   * @param region The region; the mapping takes over the caller's reference.
   * @returns Where it is in the window, and what lets go of it.
   */
  mapArena(region: Region): { readonly offset: number; readonly hold: Hold } {
    return this.#mapHeld(region, "shared");
  }

  /**
   * Map a region as the memory of tensors.
   *
   * @param region The region; the storage takes over the caller's reference.
   * @param mode Shared, or private for what is sealed.
   * @param released Called once when it is not mapped any more.
   * @returns The bytes.
   */
  mapStorage(region: Region, mode: "shared" | "private", released: () => void = () => {}): Storage {
    const { offset, hold } = this.#mapHeld(region, mode, released);
    const buffer = this.#window.arrayBuffer(offset, region.bytes);
    hold.shownBy(buffer);
    return this.#storage(buffer, hold, mode === "private", region);
  }

  /**
   * Show a part of an arena.
   *
   * @param offset Where it is in the window.
   * @param bytes Its length.
   * @param release Called once when nobody needs it any more.
   * @returns The bytes.
   */
  showBlock(offset: number, bytes: number, release: () => void): Storage {
    const buffer = this.#window.arrayBuffer(offset, bytes);
    const shown = new WeakRef(buffer);
    const hold: Hold = {
      release: () => {
        if (!this.#mappings.delete(hold)) return;
        detach(shown.deref());
        release();
      },
    };
    this.#mappings.add(hold);
    return this.#storage(buffer, hold, false);
  }

  /** For arenas: bytes at a place in the window. Valid until the arena is unmapped. */
  bytesAt(offset: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#window.arrayBuffer(offset, bytes));
  }

  /** For mappings only: take one away. */
  unmap(mapping: Hold, offset: number, bytes: number): void {
    this.#mappings.delete(mapping);
    this.#window.unmap(offset, this.#addresses.rounded(bytes));
    this.#addresses.free(offset, bytes);
  }

  /** Unmap everything. Tensors that are still in use lose their bytes. */
  [Symbol.dispose](): void {
    for (const hold of this.#mappings) {
      this.collector.forget(hold);
      hold.release();
    }
  }

  #storage(buffer: ArrayBuffer, hold: Hold, isReadOnly: boolean, region?: Region): Storage {
    this.collector.watch(buffer, hold);
    return new Storage({
      buffer,
      bytes: buffer.byteLength,
      ...(region === undefined ? {} : { origin: region, freeze: () => this.#freeze(region) }),
      isReadOnly,
      end: () => {
        this.collector.forget(hold);
        hold.release();
      },
    });
  }

  #freeze(region: Region): void {
    if (region.isSealed) return;
    if (region.writers > 0) {
      throw new TypeError("Cannot make a tensor read-only as a plugin can still write to it");
    }
    this.native.seal(region.fd, "future-write");
    region.isSealed = true;
  }

  #mapHeld(
    region: Region,
    mode: "shared" | "private",
    released: () => void = () => {},
  ): { readonly offset: number; readonly hold: Mapping } {
    const offset = this.#map(region, mode);
    const hold = new Mapping(this, region, offset, released);
    this.#mappings.add(hold);
    return { offset, hold };
  }

  /** A failure releases the reference that the mapping would have taken over. */
  #map(region: Region, mode: "shared" | "private"): number {
    const length = this.#addresses.rounded(region.bytes);
    const offset = this.#addresses.allocate(length);
    try {
      if (offset === null) {
        const free = this.limits.windowBytes - this.#addresses.usedBytes;
        throw pressure("windowBytes", length, free, this.limits.windowBytes);
      }
      this.#window.map(offset, region.fd, 0, length, mode);
      return offset;
    } catch (error) {
      if (offset !== null) this.#addresses.free(offset, length);
      region.release();
      throw error;
    }
  }

  /** The kernel kills whoever touches memory that is not there, so it is asked before. */
  #askMachine(bytes: number): void {
    if (bytes < WORTH_ASKING_BYTES) return;
    const text = new TextDecoder().decode(this.native.readFile("/proc/meminfo", 8192));
    const available = Number(/^MemAvailable:\s+(\d+) kB$/m.exec(text)?.[1] ?? Infinity) * 1024;
    const free = Math.max(0, available - MACHINE_RESERVE_BYTES);
    if (bytes > free) throw pressure("machine", bytes, free, available);
  }
}

/** Views of a detached buffer are empty instead of showing what is mapped there next. */
function detach(buffer: ArrayBuffer | undefined): void {
  if (buffer !== undefined && !buffer.detached) buffer.transfer(0);
}
