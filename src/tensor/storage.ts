/**
 * The bytes behind tensors, and who keeps them.
 *
 * @module
 */

import { DisposedError } from "../errors.ts";
import type { ArrayMaker } from "./dtype.ts";
import type { TensorArray } from "./types.ts";

/** A hold on memory. It must not refer to the storage that it belongs to, or that could never be collected. */
export interface Hold {
  /** Let go. Idempotent. */
  release(): void;
}

/** Lets go of holds whose storage was collected without having been released. */
export class Collector {
  readonly #registry = new FinalizationRegistry<Hold>((hold) => hold.release());

  /**
   * Let go of a hold when an object is collected.
   *
   * @param target The object.
   * @param hold What to let go of then.
   */
  watch(target: object, hold: Hold): void {
    this.#registry.register(target, hold, hold);
  }

  /**
   * The hold was released in another way.
   *
   * @param hold A hold that was given to `watch()`.
   */
  forget(hold: Hold): void {
    this.#registry.unregister(hold);
  }
}

/** A hold that several share: the last one lets go. */
export class SharedHold implements Hold {
  readonly #hold: Hold;
  #references = 1;

  /**
   * @param hold What is let go of at last; the caller has the first reference.
   */
  constructor(hold: Hold) {
    this.#hold = hold;
  }

  /** How many share it. */
  get references(): number {
    return this.#references;
  }

  /** One more. */
  retain(): this {
    this.#references++;
    return this;
  }

  /** One less. */
  release(): void {
    this.#references--;
    if (this.#references === 0) this.#hold.release();
  }
}

/** What a storage is made of. */
export interface StorageParts {
  /** The buffer that shows the bytes, or what makes it when it is needed. */
  readonly buffer: ArrayBuffer | (() => ArrayBuffer);
  /** Where in the buffer they start. @default 0 */
  readonly byteOffset?: number;
  /** How many there are. */
  readonly bytes: number;
  /** What they are for the end that made them; a storage without it is private memory. */
  readonly origin?: object;
  /** Writes are the writer's own: the peer does not see them. @default false */
  readonly isReadOnly?: boolean;
  /** Makes the memory unwritable for receivers; throws if it is too late for that. */
  readonly freeze?: () => void;
  /** Called once when nobody needs the bytes any more. */
  readonly end?: () => void;
  /** Ties the life of the storage to an array that shows it. @default nothing: the buffer itself is collected */
  readonly guard?: (array: TensorArray, storage: Storage) => TensorArray;
}

/** Bytes that several tensors may show; counted references. */
export class Storage {
  /** How many bytes there are. */
  readonly bytes: number;
  /** What they are for the end that made them, or null. */
  readonly origin: object | null;
  readonly #parts: StorageParts;
  #buffer: ArrayBuffer | null;
  #references = 1;
  #isReadOnly: boolean;

  /**
   * @param parts What it is made of.
   */
  constructor(parts: StorageParts) {
    this.bytes = parts.bytes;
    this.origin = parts.origin ?? null;
    this.#parts = parts;
    this.#buffer = typeof parts.buffer === "function" ? null : parts.buffer;
    this.#isReadOnly = parts.isReadOnly ?? false;
  }

  /** Private memory of zeros. */
  static local(bytes: number): Storage {
    return new Storage({ buffer: new ArrayBuffer(bytes), bytes });
  }

  /** Nobody needs the bytes any more. */
  get isReleased(): boolean {
    return this.#references === 0;
  }

  /** How many tensors show these bytes. */
  get references(): number {
    return this.#references;
  }

  /** Writes are not shared. */
  get isReadOnly(): boolean {
    return this.#isReadOnly;
  }

  /** From now on receivers get bytes that they cannot change for others. */
  setReadOnly(): void {
    if (this.#isReadOnly) return;
    this.#parts.freeze?.();
    this.#isReadOnly = true;
  }

  /**
   * The bytes as an array.
   *
   * @param maker Class of the array.
   * @param byteOffset Where it starts, in bytes from the start of the storage.
   * @param length Number of elements.
   * @returns A view; it is valid as long as the storage is not released.
   * @throws {DisposedError} If it was released.
   */
  view(maker: ArrayMaker, byteOffset: number, length: number): TensorArray {
    if (this.isReleased) throw new DisposedError("Cannot use a tensor as it was disposed");
    const array = new maker(this.#shown(), (this.#parts.byteOffset ?? 0) + byteOffset, length);
    return this.#parts.guard === undefined ? array : this.#parts.guard(array, this);
  }

  #shown(): ArrayBuffer {
    const { buffer } = this.#parts;
    return this.#buffer ??= typeof buffer === "function" ? buffer() : buffer;
  }

  /** All bytes. */
  bytesView(): Uint8Array {
    return this.view(Uint8Array, 0, this.bytes) as Uint8Array;
  }

  /** One more tensor shows these bytes. */
  retain(): this {
    if (this.isReleased) throw new DisposedError("Cannot use a tensor as it was disposed");
    this.#references++;
    return this;
  }

  /** One tensor less shows these bytes. */
  release(): void {
    if (this.#references === 0) return;
    this.#references--;
    if (this.#references === 0) this.#parts.end?.();
  }
}
