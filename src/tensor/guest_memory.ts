/**
 * What a guest sees of the shared memory that its host makes.
 *
 * @module
 */

import { MemoryPressureError, NativeError } from "../errors.ts";
import type { MapMode, Native, Window } from "../native/types.ts";
import { guardedArray } from "./guarded_array.ts";
import { pressure } from "./memory_budget.ts";
import { ParkedBuffer } from "./parked_buffer.ts";
import { RangeAllocator } from "./range_allocator.ts";
import { Collector, type Hold, SharedHold, Storage } from "./storage.ts";
import type { TensorLimits } from "./types.ts";

/** How much may be mapped before the collector hears of it. */
const ANNOUNCED_BYTES = 64 * 2 ** 20;
/** Where most plugins find room for all that they use: both arenas and as much again. The collector counts it. */
const NEAR_BYTES = 256 * 2 ** 20;

/** Memory that was granted and that nobody has asked for yet. */
export interface PendingGrant {
  /** The descriptor; whoever takes the grant closes it. */
  readonly fd: number;
  /** Its size, as the host said. */
  readonly bytes: number;
  /** It must be mapped privately. */
  readonly isPrivate: boolean;
  /** The host's lease. */
  readonly lease: number;
}

/** Memory of one grant, mapped into the window: the origin of storages that show all of it. */
export class GuestRegion {
  /** Name of it for the host. */
  readonly grant: number;
  /** Its size. */
  readonly bytes: number;
  /** It was asked for by this guest, which may give it away. */
  readonly isMade: boolean;
  /** Whoever needs it: tensors and leases. */
  readonly hold: SharedHold;

  /**
   * @param grant Name of it for the host.
   * @param bytes Its size.
   * @param isMade It was asked for by this guest.
   * @param hold Whoever needs it.
   */
  constructor(grant: number, bytes: number, isMade: boolean, hold: SharedHold) {
    this.grant = grant;
    this.bytes = bytes;
    this.isMade = isMade;
    this.hold = hold;
  }
}

/** A part of the guest's arena: the origin of small storages. */
export class GuestBlock {
  /** Where it starts in the arena. */
  readonly offset: number;
  /** Whoever needs it: tensors and leases. */
  readonly hold: SharedHold;

  /**
   * @param offset Where it starts in the arena.
   * @param hold Whoever needs it.
   */
  constructor(offset: number, hold: SharedHold) {
    this.offset = offset;
    this.hold = hold;
  }
}

/** Maps what was granted into the one window that was reserved before FFI was given up. */
export class GuestMemory {
  readonly #window: Window;
  readonly #near: ArrayBuffer;
  /** All of the window, for what reaches beyond its beginning. */
  readonly #whole: ParkedBuffer;
  readonly #addresses: RangeAllocator;
  readonly #collector = new Collector();
  readonly #pinned = new Set<Storage>();
  #unannounced = 0;
  #mapped = 0;

  /**
   * Needs the `ffi` permission; nothing afterwards does.
   *
   * @param native The native library.
   * @param limits Bounds.
   */
  constructor(native: Native, limits: TensorLimits) {
    const { windowBytes } = limits;
    this.#window = native.reserveWindow(windowBytes);
    // In this order the collector runs once.
    this.#near = this.#window.arrayBuffer(0, Math.min(NEAR_BYTES, windowBytes));
    this.#whole = new ParkedBuffer(this.#window.arrayBuffer(0, windowBytes));
    this.#addresses = new RangeAllocator(windowBytes, this.#window.pageBytes);
  }

  /** Spare the collector the address space that nobody uses yet; see `GuestTensors.park()`. */
  park(isIdle: boolean): void {
    if (isIdle) this.#whole.park();
    else this.#whole.parkSoon();
  }

  /** Mappings that exist. */
  get mapped(): number {
    return this.#mapped;
  }

  /** Address space in use, in bytes. */
  get windowBytes(): number {
    return this.#addresses.usedBytes;
  }

  /**
   * Map granted memory. The descriptor is not needed afterwards.
   *
   * @param fd The descriptor; it stays the caller's.
   * @param bytes The size that the host told.
   * @param mode Shared, private, or shared and about to be filled.
   * @param released Called once when it is not mapped any more.
   * @returns Where it is in the window, and what lets go of it.
   * @throws {NativeError} If it is no memory of that size whose size is sealed.
   */
  map(
    fd: number,
    bytes: number,
    mode: MapMode,
    released: () => void,
  ): { readonly offset: number; readonly hold: SharedHold } {
    const length = this.#addresses.rounded(bytes);
    const offset = this.#addresses.allocate(length);
    if (offset === null) {
      throw pressure("windowBytes", length, this.#window.bytes - this.windowBytes, this.#window.bytes);
    }
    try {
      this.#window.map(offset, fd, 0, length, mode);
    } catch (error) {
      this.#addresses.free(offset, length);
      throw isMemoryLimit(error) ? overMemoryLimit(length, error) : error;
    }
    this.#mapped++;
    return { offset, hold: new SharedHold({ release: () => this.#unmap(offset, length, released) }) };
  }

  /**
   * Show mapped memory.
   *
   * @param offset Where it is in the window.
   * @param bytes Its length.
   * @param parts What it is, and what keeps it: one reference, which the storage takes over.
   * @returns The bytes.
   */
  show(
    offset: number,
    bytes: number,
    parts: { readonly hold: Hold; readonly origin?: object; readonly isReadOnly?: boolean },
  ): Storage {
    const hold = once(parts.hold);
    const storage: Storage = new Storage({
      buffer: this.#bufferTo(offset + bytes),
      byteOffset: offset,
      bytes,
      ...(parts.origin === undefined ? {} : { origin: parts.origin }),
      isReadOnly: parts.isReadOnly ?? false,
      guard: (array, shown) => guardedArray(array, shown, (pinned) => this.#pinned.add(pinned)),
      end: () => {
        this.#pinned.delete(storage);
        // What is disposed needs no collector.
        this.#unannounced = Math.max(0, this.#unannounced - bytes);
        this.#collector.forget(hold);
        hold.release();
      },
    });
    this.#collector.watch(storage, hold);
    this.#announce(bytes);
    return storage;
  }

  /**
   * The collector goes by allocated memory and does not know of what is mapped. So a sixteenth of it is allocated and
   * dropped: it is never touched, so it costs address space until the collector has run.
   */
  #announce(bytes: number): void {
    const before = this.#unannounced;
    this.#unannounced += bytes;
    // Only what is added to something: one tensor after another, each disposed, is no garbage.
    if (before === 0 || this.#unannounced < ANNOUNCED_BYTES) return;
    this.#unannounced = 0;
    new ArrayBuffer(ANNOUNCED_BYTES / 16);
  }

  /** Bytes at a place in the window. Valid until it is unmapped. */
  bytesAt(offset: number, bytes: number): Uint8Array {
    return new Uint8Array(this.#bufferTo(offset + bytes), offset, bytes);
  }

  #bufferTo(end: number): ArrayBuffer {
    return end <= this.#near.byteLength ? this.#near : this.#whole.take();
  }

  #unmap(offset: number, length: number, released: () => void): void {
    this.#mapped--;
    this.#window.unmap(offset, length);
    this.#addresses.free(offset, length);
    released();
  }
}

function isMemoryLimit(error: unknown): boolean {
  return error instanceof NativeError && error.errno === "ENOMEM";
}

/** The kernel counts private mappings as the plugin's own memory, since writing to them makes them so. */
function overMemoryLimit(bytes: number, cause: unknown): MemoryPressureError {
  return new MemoryPressureError(
    `Cannot map ${bytes} bytes of a read-only tensor as limit "memory" counts them: less is free`,
    { limit: "memory", asked: bytes, allowed: 0, free: 0, hint: "Raise limits.memory of the plugin", cause },
  );
}

/** Collected and released at the same time must let go once. */
function once(hold: Hold): Hold {
  let isHeld = true;
  return {
    release() {
      if (isHeld) hold.release();
      isHeld = false;
    },
  };
}
