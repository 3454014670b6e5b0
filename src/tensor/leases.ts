/**
 * What was sent and must be kept until the receiver has let go of it.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import type { Hold } from "./storage.ts";
import type { Clock } from "./types.ts";

/** When a lease is over: as soon as the receiver has its own hold, or when it needs the memory no more. */
export type LeaseEnd = "picked" | "released";

interface Lease {
  readonly hold: Hold;
  readonly end: LeaseEnd;
  readonly sentAt: number;
  state: "sent" | "picked" | "expired";
}

/** Between telling the receiver and letting go: it may have picked up just then. */
const EXPIRY_GRACE_MS = 1_000;

/** Leases of one sender with one receiver. */
export class Leases implements Disposable {
  readonly #leases = new Map<number, Lease>();
  readonly #clock: Clock;
  readonly #retentionMs: number;
  readonly #tellExpired: (id: number) => void;
  #lastId = 0;
  #waiting = 0;
  #cancelSweep: (() => void) | null = null;

  /**
   * @param clock Time.
   * @param retentionMs How long something is kept that nobody picks up.
   * @param tellExpired Tells the receiver that a lease is not kept any longer.
   */
  constructor(clock: Clock, retentionMs: number, tellExpired: (id: number) => void) {
    this.#clock = clock;
    this.#retentionMs = retentionMs;
    this.#tellExpired = tellExpired;
  }

  /** Leases that are not over. */
  get size(): number {
    return this.#leases.size;
  }

  /**
   * Keep something for the receiver.
   *
   * @param hold What is kept; released when the lease is over.
   * @param end What the receiver ends it with.
   * @returns Number of the lease.
   */
  open(hold: Hold, end: LeaseEnd): number {
    const id = ++this.#lastId;
    this.#leases.set(id, { hold, end, sentAt: this.#clock.now(), state: "sent" });
    this.#waiting++;
    this.#sweepIn(this.#retentionMs);
    return id;
  }

  /** The receiver has it. */
  picked(id: number): void {
    const lease = this.#known(id);
    if (lease === undefined || lease.state === "picked") return;
    this.#waiting--;
    lease.state = "picked";
    if (lease.end === "picked") this.#over(id, lease);
  }

  /** The receiver needs it no more. */
  released(id: number): void {
    const lease = this.#known(id);
    if (lease !== undefined) this.#over(id, lease);
  }

  /**
   * Give notice for everything that nobody has picked up.
   *
   * @returns How many.
   */
  flush(): number {
    return this.#expireSentBefore(Infinity);
  }

  /** The message that named it was never sent: give notice at once. */
  cancel(id: number): void {
    const lease = this.#leases.get(id);
    if (lease?.state !== "sent") return;
    lease.state = "expired";
    this.#tellExpired(id);
  }

  /**
   * Let go of everything that notice was given for, without waiting for the receiver.
   *
   * @returns How many.
   */
  purge(): number {
    const expired = [...this.#leases].filter(([, { state }]) => state === "expired");
    for (const [id, lease] of expired) this.#over(id, lease);
    return expired.length;
  }

  /** The receiver is gone: all leases are over. */
  [Symbol.dispose](): void {
    this.#cancelSweep?.();
    this.#cancelSweep = null;
    for (const [id, lease] of this.#leases) this.#over(id, lease);
  }

  /** Leases that are over may still be named by messages that crossed ours; others never existed. */
  #known(id: number): Lease | undefined {
    const lease = this.#leases.get(id);
    if (lease !== undefined) return lease;
    if (id >= 1 && id <= this.#lastId) return undefined;
    throw new ProtocolError(`Cannot end lease ${id} as it was never given`);
  }

  #over(id: number, lease: Lease): void {
    if (lease.state !== "picked") this.#waiting--;
    this.#leases.delete(id);
    lease.hold.release();
  }

  #sweepIn(delayMs: number): void {
    this.#cancelSweep ??= this.#clock.schedule(delayMs, () => {
      this.#cancelSweep = null;
      this.#sweep();
    });
  }

  #sweep(): void {
    this.purge();
    const notified = this.#expireSentBefore(this.#clock.now() - this.#retentionMs);
    if (notified > 0) this.#sweepIn(EXPIRY_GRACE_MS);
    else if (this.#waiting > 0) this.#sweepIn(this.#retentionMs);
  }

  #expireSentBefore(time: number): number {
    let count = 0;
    for (const [id, lease] of this.#leases) {
      // In the order of sending; the rest is younger.
      if (lease.sentAt > time) break;
      if (lease.state !== "sent") continue;
      lease.state = "expired";
      this.#tellExpired(id);
      count++;
    }
    return count;
  }
}
