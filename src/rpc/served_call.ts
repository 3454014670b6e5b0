/**
 * One call of the peer while it is served: what `currentCall()` gives.
 *
 * @module
 */

import { LimitExceededError } from "../errors.ts";
import type { SignalOwner, SignalTable } from "./signal_table.ts";
import type { StreamOwner } from "./stream_table.ts";
import type { RpcSession } from "./session.ts";
import type { CallContext, RpcFunction } from "./types.ts";

/** The facts of a call that arrived. */
export interface ServedCallFacts {
  readonly session: RpcSession;
  readonly id: number;
  readonly target: string;
  readonly method: string;
  readonly depth: number;
  readonly timeoutMs: number;
  readonly startedAt: number;
  /** Size of its frame. */
  readonly bytes: number;
  /** Where signals among its arguments are dropped when it is over. */
  readonly signalTable: SignalTable;
  /** Sends progress to the caller; undefined when it does not listen. */
  readonly sendProgress: ((id: number, value: unknown) => void) | undefined;
}

/** A call being served: until its reply, or until the last stream of its result has ended. */
export class ServedCall implements CallContext, SignalOwner, StreamOwner {
  readonly session: RpcSession;
  readonly id: number;
  readonly target: string;
  readonly method: string;
  readonly depth: number;
  readonly timeoutMs: number;
  readonly startedAt: number;
  readonly bytes: number;
  readonly #sendProgress: ServedCallFacts["sendProgress"];
  readonly #signalTable: SignalTable;
  #controller: AbortController | undefined;
  #openStreams = 0;
  #isAnswered = false;
  #isFinished = false;
  signals: number[] | undefined;
  /** What to run, and with what. Set once, before `invoke()`. */
  body:
    | { readonly self: unknown; readonly member: RpcFunction; readonly args: readonly unknown[] }
    | undefined;

  /**
   * @param facts Of the call.
   */
  constructor(facts: ServedCallFacts) {
    this.session = facts.session;
    this.id = facts.id;
    this.target = facts.target;
    this.method = facts.method;
    this.depth = facts.depth;
    this.timeoutMs = facts.timeoutMs;
    this.startedAt = facts.startedAt;
    this.bytes = facts.bytes;
    this.#sendProgress = facts.sendProgress;
    this.#signalTable = facts.signalTable;
  }

  // What runs on behind the answer has no deadline.
  get deadlineAt(): number {
    return this.timeoutMs > 0 && !this.#isAnswered ? this.startedAt + this.timeoutMs : Infinity;
  }

  get isFinished(): boolean {
    return this.#isFinished;
  }

  // Most functions never ask for it.
  get signal(): AbortSignal {
    this.#controller ??= new AbortController();
    return this.#controller.signal;
  }

  progress(value: unknown): void {
    if (!this.#isFinished) this.#sendProgress?.(this.id, value);
  }

  /**
   * The caller gave up, or is gone.
   *
   * @param reason What the signal carries.
   */
  abort(reason: unknown): void {
    this.#controller ??= new AbortController();
    this.#controller.abort(reason);
  }

  /** The reply is on its way, and streams of the result are open. */
  answered(): void {
    this.#isAnswered = true;
    this.body = undefined;
    this.#finishIfOver();
  }

  streamOpened(): void {
    this.#openStreams++;
  }

  streamEnded(): void {
    this.#openStreams--;
    this.#finishIfOver();
  }

  #finishIfOver(): void {
    if (!this.#isAnswered || this.#openStreams > 0) return;
    this.#isFinished = true;
    if (this.signals === undefined) return;
    this.#signalTable.drop(this.signals);
    this.signals = undefined;
  }
}

/**
 * Run what a served call asks for. A plain function, so that entering a context needs no closure.
 *
 * @param call With its `body` set.
 * @returns What the function returned.
 */
export function invoke(call: ServedCall): unknown {
  const { self, member, args } = call.body!;
  return Reflect.apply(member, self, args);
}

/**
 * The caller asked for too much at once.
 *
 * @param limit Name of the limit.
 * @param asked In its unit.
 * @param allowed In its unit.
 * @returns The error that is the reply.
 */
export function refusedByLimit(
  limit: "maxInFlight" | "maxDepth" | "maxQueuedBytes",
  asked: number,
  allowed: number,
): LimitExceededError {
  return new LimitExceededError(`Cannot serve a call as "${limit}" is ${allowed}: it would be ${asked}`, {
    limit,
    asked,
    allowed,
  });
}
