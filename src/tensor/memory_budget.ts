/**
 * Counts shared memory against a bound, before the kernel has to.
 *
 * @module
 */

import { MemoryPressureError } from "../errors.ts";

/** A bound on shared memory, within another one if there is one. */
export class MemoryBudget {
  /** Name of the limit in errors. */
  readonly name: string;
  /** The bound in bytes. */
  readonly limitBytes: number;
  readonly #parent: MemoryBudget | null;
  #used = 0;

  /**
   * @param name Name of the limit in errors.
   * @param limitBytes The bound in bytes.
   * @param parent The bound that this one lies within.
   */
  constructor(
    name: string,
    limitBytes: number,
    parent: MemoryBudget | null = null,
  ) {
    this.name = name;
    this.limitBytes = limitBytes;
    this.#parent = parent;
  }

  /** What is taken, in bytes. */
  get usedBytes(): number {
    return this.#used;
  }

  /**
   * Take some.
   *
   * @param bytes How much.
   * @throws {MemoryPressureError} If it is not there; nothing is taken then.
   */
  take(bytes: number): void {
    const free = this.limitBytes - this.#used;
    if (bytes > free) throw pressure(this.name, bytes, free, this.limitBytes);
    this.#parent?.take(bytes);
    this.#used += bytes;
  }

  /**
   * Give some back.
   *
   * @param bytes How much of what was taken.
   */
  give(bytes: number): void {
    this.#used -= bytes;
    this.#parent?.give(bytes);
  }
}

/**
 * The error for memory that is not there.
 *
 * @param limit Name of the limit.
 * @param asked Bytes that were asked for.
 * @param free Bytes that are left.
 * @param allowed The limit in bytes.
 * @returns The error, to be thrown.
 */
export function pressure(limit: string, asked: number, free: number, allowed: number): MemoryPressureError {
  return new MemoryPressureError(
    `Cannot share ${asked} bytes as limit "${limit}" allows ${allowed}: ${free} are free`,
    { limit, asked, allowed, free, hint: "Dispose tensors that are not needed, or raise the limit" },
  );
}

/**
 * The numbers of an error, for the side that asked.
 *
 * @param error What was thrown.
 * @param asked Bytes that were asked for.
 * @param allowed The limit in bytes, if the error names none.
 * @returns Numbers of 0 or more.
 */
export function asPressure(
  error: unknown,
  asked: number,
  allowed: number,
): { readonly asked: number; readonly free: number; readonly allowed: number } {
  if (error instanceof Error && "free" in error && "allowed" in error) {
    const free = Math.max(0, Number(error.free));
    return { asked, free, allowed: Math.max(0, Number(error.allowed)) };
  }
  return { asked, free: 0, allowed };
}
