/**
 * Sends what must arrive: replies, ends, reasons, releases. What cannot cross is replaced by an error that can.
 *
 * @module
 */

import { LimitExceededError } from "../errors.ts";
import type { FrameSender } from "./frame_sender.ts";
import { Kind, type Message } from "./messages.ts";
import type { ServedCall } from "./served_call.ts";
import type { StreamTable } from "./stream_table.ts";

/** What sending needs of its session. */
export interface AnswerParts {
  readonly sender: FrameSender;
  readonly streams: () => StreamTable;
  /** The peer is there. */
  readonly isListening: () => boolean;
  /** Closes the session: the peer does not read. */
  readonly breach: (error: unknown) => void;
}

/** The sending half of a session, beside calls. */
export class AnswerSender {
  readonly #parts: AnswerParts;
  readonly #releases = new Map<number, number>();

  /**
   * @param parts Of the session.
   */
  constructor(parts: AnswerParts) {
    this.#parts = parts;
  }

  /** Send `[kind, id, value]`; gives the size of the frame. */
  sendValue(kind: number, id: number | string, value: unknown, root: string): number {
    return this.#parts.sender.send([kind, id, value], root);
  }

  /** Send something that must arrive: if the peer does not read, the session is over. */
  control(message: Message): void {
    if (!this.#parts.isListening()) return;
    try {
      this.#parts.sender.send(message);
    } catch (error) {
      this.#parts.breach(error);
    }
  }

  /** Reply with an error; one that cannot cross loses what does not. */
  replyError(id: number, error: unknown): void {
    if (!this.#parts.isListening()) return;
    try {
      try {
        this.sendValue(Kind.error, id, error, "$.error");
      } catch (failure) {
        if (isPeerDeaf(failure)) throw failure;
        this.sendValue(Kind.error, id, summaryOf(error, failure), "$.error");
      }
    } catch (failure) {
      this.#parts.breach(failure);
    }
  }

  /** Reply with a result; one that cannot cross becomes an error. */
  reply(call: ServedCall, value: unknown): void {
    if (!this.#parts.isListening()) return;
    try {
      this.#parts.streams().servedCall = call;
      this.sendValue(Kind.result, call.id, value, "$.result");
    } catch (error) {
      this.replyError(call.id, error);
    } finally {
      this.#parts.streams().servedCall = undefined;
    }
  }

  /** End a stream; a value that cannot cross becomes an error. */
  sendEnd(stream: number, end: { readonly value: unknown } | { readonly error: unknown }): void {
    if (!this.#parts.isListening()) return;
    const isError = "error" in end;
    const value = isError ? end.error : end.value;
    try {
      if (!isError && value === undefined) this.#parts.sender.send([Kind.end, stream]);
      else this.#parts.sender.send([Kind.end, stream, isError, value], "$.end");
    } catch (failure) {
      if (isPeerDeaf(failure)) {
        return this.#parts.breach(failure);
      }
      this.control([Kind.end, stream, true, summaryOf(value, failure)]);
    }
  }

  /** `cancel` and `stop` carry a reason; one that cannot cross is only named. */
  sendReason(kind: number, id: number, reason: unknown): void {
    if (!this.#parts.isListening()) return;
    try {
      this.sendValue(kind, id, reason, "$.reason");
    } catch (failure) {
      if (isPeerDeaf(failure)) {
        return this.#parts.breach(failure);
      }
      this.control([kind, id, String(reason).slice(0, 200)]);
    }
  }

  /** The peer may forget uses of a reference. Releases of one turn leave in one frame. */
  release(id: number, count: number): void {
    if (!this.#parts.isListening()) return;
    if (this.#releases.size === 0) queueMicrotask(() => this.#flushReleases());
    this.#releases.set(id, (this.#releases.get(id) ?? 0) + count);
  }

  #flushReleases(): void {
    const pairs = [...this.#releases].flat();
    this.#releases.clear();
    this.control([Kind.release, pairs]);
  }
}

/** Only a full queue ends the session; everything else is the value's fault. */
function isPeerDeaf(error: unknown): boolean {
  return error instanceof LimitExceededError && error.limit === "maxQueuedBytes";
}

/** What is left of an error that cannot cross. */
function summaryOf(error: unknown, failure: unknown): Error {
  if (!(error instanceof Error)) return failure instanceof Error ? failure : new Error(String(failure));
  const summary = new Error(error.message.slice(0, 1024));
  summary.name = error.name;
  if (error.stack !== undefined) summary.stack = error.stack.slice(0, 16_384);
  return summary;
}
