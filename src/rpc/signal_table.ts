/**
 * Abort signals that cross as arguments: each lives as long as the call that it came with.
 *
 * @module
 */

import { LimitExceededError, ProtocolError } from "../errors.ts";

/** A call with signals among its arguments. */
export interface SignalOwner {
  /** Their numbers; undefined while there are none. */
  signals: number[] | undefined;
}

interface SentSignal {
  readonly signal: AbortSignal;
  readonly onAbort: () => void;
}

/** The signals of one session, in both directions. */
export class SignalTable {
  readonly #sendAbort: (id: number, reason: unknown) => void;
  readonly #maxSignals: number;
  readonly #sent = new Map<number, SentSignal>();
  readonly #received = new Map<number, AbortController>();
  #lastSent = 0;
  #lastReceived = 0;

  /**
   * @param sendAbort Tells the peer that a signal of ours aborted.
   * @param maxSignals Bound on either direction.
   */
  constructor(sendAbort: (id: number, reason: unknown) => void, maxSignals: number) {
    this.#sendAbort = sendAbort;
    this.#maxSignals = maxSignals;
  }

  /** Signals of ours that the peer may still hear of. */
  get sent(): number {
    return this.#sent.size;
  }

  /** Signals of the peer that may still abort. */
  get received(): number {
    return this.#received.size;
  }

  /**
   * Number a signal for the peer, and tell it when it aborts.
   *
   * @param signal Not aborted yet.
   * @param owner The call that carries it; whoever ends the call calls `forget()`.
   * @returns Its number.
   * @throws {LimitExceededError} If too many are open.
   */
  send(signal: AbortSignal, owner: SignalOwner): number {
    this.#checkRoom(this.#sent.size);
    const id = ++this.#lastSent;
    const onAbort = () => {
      this.#sent.delete(id);
      this.#sendAbort(id, signal.reason);
    };
    signal.addEventListener("abort", onAbort, { once: true });
    this.#sent.set(id, { signal, onAbort });
    (owner.signals ??= []).push(id);
    return id;
  }

  /**
   * The call of signals of ours is over: the peer does not hear of them any more.
   *
   * @param ids Their numbers.
   */
  forget(ids: readonly number[]): void {
    for (const id of ids) {
      const sent = this.#sent.get(id);
      if (sent === undefined) continue;
      this.#sent.delete(id);
      sent.signal.removeEventListener("abort", sent.onAbort);
    }
  }

  /**
   * A signal of the peer, for user code.
   *
   * @param id The peer's number.
   * @param owner The call that carries it; whoever ends the call calls `drop()`.
   * @returns A signal that aborts when the peer's does.
   * @throws {ProtocolError} If the number is not a new one.
   * @throws {LimitExceededError} If too many are open.
   */
  accept(id: number, owner: SignalOwner): AbortSignal {
    if (id <= this.#lastReceived) {
      throw new ProtocolError(`Cannot take signal ${id} as numbers only grow: it is not new`);
    }
    this.#lastReceived = id;
    this.#checkRoom(this.#received.size);
    const controller = new AbortController();
    this.#received.set(id, controller);
    (owner.signals ??= []).push(id);
    return controller.signal;
  }

  /**
   * A signal of the peer aborted. If its call is over that is no mistake: the messages crossed.
   *
   * @param id What the peer named.
   * @param reason Revived.
   * @throws {ProtocolError} If there never was such a signal.
   */
  abort(id: unknown, reason: unknown): void {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id < 1 || id > this.#lastReceived) {
      throw new ProtocolError(`Cannot abort signal ${String(id)} as it never crossed: it is unknown`);
    }
    const controller = this.#received.get(id);
    this.#received.delete(id);
    controller?.abort(reason);
  }

  /**
   * The call of signals of the peer is over: they never abort any more.
   *
   * @param ids Their numbers.
   */
  drop(ids: readonly number[]): void {
    for (const id of ids) this.#received.delete(id);
  }

  /**
   * The peer is gone: its signals abort, as the calls that they came with do.
   *
   * @param reason What they carry.
   */
  clear(reason: Error): void {
    this.forget([...this.#sent.keys()]);
    const controllers = [...this.#received.values()];
    this.#received.clear();
    for (const controller of controllers) controller.abort(reason);
  }

  #checkRoom(size: number): void {
    if (size < this.#maxSignals) return;
    throw new LimitExceededError(
      `Cannot pass a signal as "maxReferences" is ${this.#maxSignals}: it is reached`,
      {
        limit: "maxReferences",
        asked: size + 1,
        allowed: this.#maxSignals,
      },
    );
  }
}
