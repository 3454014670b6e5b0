/**
 * Calls that wait for the peer: their deadlines, signals and replies.
 *
 * @module
 */

import { CallTimeoutError, LimitExceededError, ProtocolError } from "../errors.ts";
import { MAX_TIMEOUT_MS } from "./limits.ts";
import type { SignalOwner } from "./signal_table.ts";
import type { StreamOwner } from "./stream_table.ts";
import type { CallOptions, PendingCall } from "./types.ts";

/** One call that waits for its reply. */
export interface OutgoingCall extends SignalOwner {
  /** Which reply it wants. */
  readonly kind: "call" | "load";
  readonly id: number;
  readonly target: string | number;
  readonly method: string;
  readonly depth: number;
  readonly startedAt: number;
  /** On `performance.now()`'s clock; Infinity is none. */
  readonly deadlineAt: number;
  readonly timeoutMs: number;
  readonly options: CallOptions | undefined;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
  onAbort: (() => void) | undefined;
  /** The caller gave up; the reply still comes and is dropped. */
  isAbandoned: boolean;
  /** Size of its frame. */
  bytes: number;
}

/**
 * A call that was answered with streams. Holds nothing of the answer: streams that user code forgot must be found.
 */
class StreamingCall implements StreamOwner {
  readonly depth: number;
  readonly onProgress: ((value: unknown) => void) | undefined;
  readonly #ended: () => void;
  openStreams = 0;

  constructor(call: OutgoingCall, ended: () => void) {
    this.depth = call.depth;
    this.onProgress = call.isAbandoned ? undefined : call.options?.onProgress;
    this.#ended = ended;
  }

  streamOpened(): void {
    this.openStreams++;
  }

  streamEnded(): void {
    if (--this.openStreams === 0) this.#ended();
  }
}

/** The calls of one session that wait for the peer. */
export class OutgoingCalls {
  readonly #calls = new Map<number, OutgoingCall>();
  /** Answered calls whose results hold streams. */
  readonly #streaming = new Map<number, StreamingCall>();
  readonly #forgetSignals: (ids: readonly number[]) => void;
  readonly #cancel: (id: number, reason: unknown) => void;
  readonly #peerName: string;
  #lastId = 0;
  #bytes = 0;
  #failed = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #timerAt = Infinity;
  #isTimerIdle = false;
  /** What the peer accepts. */
  maxInFlight: number;

  /**
   * @param cancel Tells the peer that a call is not wanted any more.
   * @param options `peerName` for messages; `maxInFlight` until the peer told its own; `forgetSignals` is told about
   * the signals of a call that is over.
   */
  constructor(
    cancel: (id: number, reason: unknown) => void,
    options: {
      readonly peerName: string;
      readonly maxInFlight: number;
      readonly forgetSignals: (ids: readonly number[]) => void;
    },
  ) {
    this.#forgetSignals = options.forgetSignals;
    this.#cancel = cancel;
    this.#peerName = options.peerName;
    this.maxInFlight = options.maxInFlight;
  }

  /** Calls that wait. */
  get size(): number {
    return this.#calls.size;
  }

  /** Their frames together. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Number of the last call. */
  get lastId(): number {
    return this.#lastId;
  }

  /** Calls that ended with an error. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * The number for the next call.
   *
   * @returns A number that was never used.
   * @throws {LimitExceededError} If too many wait.
   */
  nextId(): number {
    if (this.#calls.size >= this.maxInFlight) throw tooManyInFlight(this.#calls.size + 1, this.maxInFlight);
    return ++this.#lastId;
  }

  /**
   * A call was sent.
   *
   * @param call Its facts; settled by a reply, its deadline, its signal or `clear()`.
   */
  add(call: OutgoingCall): void {
    this.#calls.set(call.id, call);
    this.#bytes += call.bytes;
    const signal = call.options?.signal;
    if (signal !== undefined) {
      call.onAbort = () => this.#giveUp(call, signal.reason, signal.reason);
      signal.addEventListener("abort", call.onAbort, { once: true });
    }
    if (call.deadlineAt === Infinity) return;
    if (call.deadlineAt < this.#timerAt) this.#schedule(call.deadlineAt);
    else if (this.#isTimerIdle) this.#rouse();
  }

  /**
   * The depth of a call of ours that the peer serves.
   *
   * @param id Number that the peer named as parent.
   * @returns Its depth; 0 if there is none.
   */
  depthOf(id: number): number {
    return (this.#calls.get(id) ?? this.#streaming.get(id))?.depth ?? 0;
  }

  /**
   * The call that a reply belongs to, which is finished by that.
   *
   * @param id Number that the peer named.
   * @returns The call; `isAbandoned` if nobody waits any more.
   * @throws {ProtocolError} If no such call waits.
   */
  take(id: unknown): OutgoingCall {
    const call = typeof id === "number" ? this.#calls.get(id) : undefined;
    if (call === undefined) {
      throw new ProtocolError(
        `Cannot take a reply as call ${String(id)} does not wait for one: it is finished or unknown`,
      );
    }
    this.#calls.delete(call.id);
    this.#bytes -= call.bytes;
    if (call.onAbort !== undefined) this.#unhook(call);
    if (this.#calls.size === 0 && this.#timer !== undefined) this.#rest(this.#timer);
    return call;
  }

  /**
   * The result of a call may hold streams: it is over when they have ended.
   *
   * @param call From `take()`. `answered()` follows when its result was read.
   * @returns What a `StreamTable` tells about them.
   */
  streamsOf(call: OutgoingCall): StreamOwner {
    const { id, signals } = call;
    const streaming = new StreamingCall(call, () => {
      this.#streaming.delete(id);
      if (signals !== undefined) this.#forgetSignals(signals);
    });
    this.#streaming.set(id, streaming);
    return streaming;
  }

  /**
   * A reply was read: the call is over, unless its result holds streams.
   *
   * @param call From `take()`.
   */
  answered(call: OutgoingCall): void {
    if (this.#streaming.size > 0) {
      const streaming = this.#streaming.get(call.id);
      if (streaming !== undefined && streaming.openStreams > 0) return;
      this.#streaming.delete(call.id);
    }
    if (call.signals !== undefined) this.#forgetSignals(call.signals);
  }

  /**
   * A call's reply is an error.
   *
   * @param call From `take()`.
   * @param error What it rejects with.
   */
  fail(call: OutgoingCall, error: unknown): void {
    if (call.isAbandoned) return;
    this.#failed++;
    call.reject(error);
  }

  /**
   * The callee told how far it is.
   *
   * @param id Number that the peer named.
   * @returns Who listens, if the call still waits.
   * @throws {ProtocolError} If there never was such a call.
   */
  progressOf(id: unknown): ((value: unknown) => void) | undefined {
    if (typeof id !== "number" || id < 1 || id > this.#lastId) {
      throw new ProtocolError(`Cannot take progress as call ${String(id)} was never made: it is unknown`);
    }
    const call = this.#calls.get(id);
    if (call === undefined) return this.#streaming.get(id)?.onProgress;
    return call.isAbandoned ? undefined : call.options?.onProgress;
  }

  /**
   * Reject everything that waits, at once.
   *
   * @param error What it rejects with.
   */
  clear(error: Error): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#bytes = 0;
    this.#streaming.clear();
    for (const call of calls) {
      if (call.onAbort !== undefined) this.#unhook(call);
      this.fail(call, error);
    }
  }

  /**
   * What waits, for people.
   *
   * @param now On `performance.now()`'s clock.
   * @returns One entry for each call that somebody waits for.
   */
  inspect(now: number): PendingCall[] {
    return [...this.#calls.values()].filter((call) => !call.isAbandoned).map((call) => ({
      direction: "out",
      id: call.id,
      target: targetName(call.target),
      method: call.method,
      ageMs: now - call.startedAt,
      depth: call.depth,
    }));
  }

  #giveUp(call: OutgoingCall, error: unknown, reason: unknown): void {
    if (call.isAbandoned || !this.#calls.has(call.id)) return;
    this.#unhook(call);
    this.fail(call, error);
    // Stays in the table until the reply that the callee owes in any case.
    call.isAbandoned = true;
    this.#cancel(call.id, reason);
  }

  #unhook(call: OutgoingCall): void {
    if (call.onAbort !== undefined) call.options?.signal?.removeEventListener("abort", call.onAbort);
    call.onAbort = undefined;
  }

  /** Without calls the timer may ring in vain, but must not keep the process alive. */
  #rest(timer: ReturnType<typeof setTimeout>): void {
    Deno.unrefTimer(timer);
    this.#isTimerIdle = true;
  }

  #rouse(): void {
    if (this.#timer !== undefined) Deno.refTimer(this.#timer);
    this.#isTimerIdle = false;
  }

  #schedule(at: number): void {
    if (this.#timer !== undefined) clearTimeout(this.#timer);
    this.#timerAt = at;
    const waitMs = Math.max(0, Math.ceil(at - performance.now()));
    // A call inherits the deadline of the peer's call that it is made in, whatever that is.
    this.#timer = setTimeout(() => this.#expire(), Math.min(waitMs, MAX_TIMEOUT_MS));
    this.#isTimerIdle = false;
  }

  /** One timer serves all deadlines: it rings at the earliest and finds the next. */
  #expire(): void {
    this.#timer = undefined;
    this.#timerAt = Infinity;
    const now = performance.now();
    let next = Infinity;
    for (const call of this.#calls.values()) {
      if (call.isAbandoned) continue;
      if (call.deadlineAt > now) {
        next = Math.min(next, call.deadlineAt);
        continue;
      }
      const error = this.#timeoutError(call);
      this.#giveUp(call, error, error);
    }
    if (next < Infinity) this.#schedule(next);
  }

  #timeoutError(call: OutgoingCall): CallTimeoutError {
    const name = `${targetName(call.target)}.${call.method}`;
    return new CallTimeoutError(
      `Cannot finish the call "${name}" as its deadline is ${call.timeoutMs} ms: ${this.#peerName} did not answer`,
      { timeoutMs: call.timeoutMs },
    );
  }
}

/** What a target is called in messages: references have numbers only. */
export function targetName(target: string | number): string {
  return typeof target === "string" ? target : `reference ${target}`;
}

function tooManyInFlight(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot make a call as "maxInFlight" is ${allowed}: that many wait for the peer`,
    {
      limit: "maxInFlight",
      asked,
      allowed,
    },
  );
}
