/**
 * All shared memory of a host: it makes every piece, maps it, and counts it.
 *
 * @module
 */

import { NativeError } from "../errors.ts";
import type { Native, Window } from "../native/types.ts";
import { MemoryBudget, pressure } from "./memory_budget.ts";
import { RangeAllocator } from "./range_allocator.ts";
import { Collector, type Hold, Storage } from "./storage.ts";
import type { TensorLimits } from "./types.ts";

/** Kept free for everybody else when the machine's memory is counted. */
const MACHINE_RESERVE_BYTES = 64 * 2 ** 20;
/** Smaller pieces are not worth asking the machine about. */
const WORTH_ASKING_BYTES = 2 ** 20;

/** A region in the window, and who looks at it. */
interface SharedMapping {
  readonly offset: number;
  users: number;
  /**
   * A buffer that nobody uses. Making one for a large region makes the engine collect garbage, since it counts as newly
   * allocated memory; handing the same one on does not.
   */
  spare: ArrayBuffer | null;
}

/** One piece of shared memory; counted references. */
export class Region implements Hold {
  /** Its descriptor, open as long as there are references. */
  readonly fd: number;
  /** Its size. */
  readonly bytes: number;
  /** Guests that it is lent to and that may write to it: it cannot be sealed before they let go. */
  writers = 0;
  /** A guest could write to it once: that it has let go is only its word. */
  wasWritable = false;
  /** It was lent to a guest that could write to it: another guest must not be blamed for that one's mapping. */
  wasLent = false;
  /** Nobody, or nobody new, may write to it. */
  isSealed = false;
  /** Where this host sees it, once it was needed; kept until the region ends or is sealed. */
  mapping: SharedMapping | null = null;
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
  readonly #shown = new Set<Hold>();
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

  /** Storages that exist. */
  get mapped(): number {
    return this.#shown.size;
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
        this.unmapShared(ended);
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
   * @param region The region; the caller keeps its reference and needs it as long as the arena.
   * @returns Where it is in the window.
   */
  mapArena(region: Region): number {
    return this.#sharedMapping(region).offset;
  }

  /**
   * Map a region as the memory of tensors.
   *
   * @param region The region; the storage takes over the caller's reference, also if this throws.
   * @param released Called once when the storage is released.
   * @returns The bytes: shared, or private if the region is sealed.
   */
  mapStorage(region: Region, released: () => void = () => {}): Storage {
    try {
      return region.isSealed ? this.#mapPrivate(region, released) : this.#mapShared(region, released);
    } catch (error) {
      region.release();
      throw error;
    }
  }

  /** Stop seeing a region that no tensor shows: its seal needs that. */
  unmapShared(region: Region): void {
    const { mapping } = region;
    if (mapping === null || mapping.users > 0) return;
    region.mapping = null;
    mapping.spare?.transfer(0);
    this.#unmap(mapping.offset, region.bytes);
  }

  /**
   * Make sure that nobody can write to a region any more. The kernel refuses that as long as anybody can, also a plugin
   * that said that it had let go.
   *
   * @param region A region that this host does not map.
   * @returns Whether it is so; otherwise nothing has changed.
   */
  seal(region: Region): boolean {
    try {
      this.native.seal(region.fd, "write");
    } catch (error) {
      if (error instanceof NativeError && error.errno === "EBUSY") return false;
      throw error;
    }
    return region.isSealed = true;
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
    const finish = (shown: ArrayBuffer | undefined): void => {
      shown?.transfer(0);
      release();
    };
    return this.#show(bytes, () => this.#window.arrayBuffer(offset, bytes), finish);
  }

  /** For arenas: bytes at a place in the window. Valid until the arena is unmapped. */
  bytesAt(offset: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#window.arrayBuffer(offset, bytes));
  }

  /** Unmap everything. Tensors that are still in use lose their bytes. */
  [Symbol.dispose](): void {
    for (const hold of this.#shown) {
      this.collector.forget(hold);
      hold.release();
    }
  }

  #mapPrivate(region: Region, released: () => void): Storage {
    const { bytes } = region;
    const offset = this.#map(region, "private");
    return this.#show(bytes, () => this.#window.arrayBuffer(offset, bytes), (shown) => {
      shown?.transfer(0);
      this.#unmap(offset, bytes);
      region.release();
      released();
    }, region);
  }

  #mapShared(region: Region, released: () => void): Storage {
    const mapping = this.#sharedMapping(region);
    mapping.users++;
    const make = (): ArrayBuffer => {
      const { spare } = mapping;
      mapping.spare = null;
      return spare ?? this.#window.arrayBuffer(mapping.offset, region.bytes);
    };
    return this.#show(region.bytes, make, (shown) => {
      mapping.users--;
      // Views of the old buffer are empty from now on.
      const spare = shown?.transfer() ?? null;
      if (mapping.spare === null) mapping.spare = spare;
      else spare?.transfer(0);
      region.release();
      released();
    }, region);
  }

  #sharedMapping(region: Region): SharedMapping {
    return region.mapping ??= { offset: this.#map(region, "shared"), users: 0, spare: null };
  }

  /**
   * A storage whose buffer is made when it is needed and detached at the end, so that nobody looks at what comes next
   * at this address. The collector watches the buffer, which views share with the storage.
   */
  #show(
    bytes: number,
    make: () => ArrayBuffer,
    finish: (shown: ArrayBuffer | undefined) => void,
    region?: Region,
  ): Storage {
    let buffer: WeakRef<ArrayBuffer> | null = null;
    const shown = this.#shown;
    const hold: Hold = {
      release: () => {
        if (shown.delete(hold)) finish(attached(buffer?.deref()));
      },
    };
    shown.add(hold);
    const storage = new Storage({
      bytes,
      buffer: () => {
        const made = make();
        buffer = new WeakRef(made);
        this.collector.forget(hold);
        this.collector.watch(made, hold);
        return made;
      },
      ...(region === undefined ? {} : { origin: region, freeze: () => this.#freeze(region) }),
      isReadOnly: region?.isSealed ?? false,
      end: () => {
        this.collector.forget(hold);
        hold.release();
      },
    });
    this.collector.watch(storage, hold);
    return storage;
  }

  #freeze(region: Region): void {
    if (region.isSealed) return;
    // The kernel takes this seal whoever can write already, and a plugin's word is none.
    if (region.wasWritable) {
      throw new TypeError(
        "Cannot make a tensor read-only as a plugin could write to it: freeze it before it is lent, or send copied(tensor)",
      );
    }
    this.native.seal(region.fd, "future-write");
    region.isSealed = true;
  }

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
      throw error;
    }
  }

  #unmap(offset: number, bytes: number): void {
    const length = this.#addresses.rounded(bytes);
    this.#window.unmap(offset, length);
    this.#addresses.free(offset, length);
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

/** The buffer, unless somebody else has detached it: tensors may be transferred to a Worker. */
function attached(buffer: ArrayBuffer | undefined): ArrayBuffer | undefined {
  return buffer?.detached === true ? undefined : buffer;
}
