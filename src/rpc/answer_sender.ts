/**
 * Sends what must arrive: replies, ends, reasons, releases. What cannot cross is replaced by an error that can.
 *
 * @module
 */

import { LimitExceededError } from "../errors.ts";
import { errorSummary } from "./error_summary.ts";
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
    this.#sendError(error, (value) => this.sendValue(Kind.error, id, value, "$.error"));
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
    const sendError = (value: unknown) => {
      this.#parts.sender.send([Kind.end, stream, true, value], "$.end");
    };
    if ("error" in end) return this.#sendError(end.error, sendError);
    if (end.value === undefined) return this.control([Kind.end, stream]);
    if (!this.#parts.isListening()) return;
    try {
      this.#parts.sender.send([Kind.end, stream, false, end.value], "$.end");
    } catch (failure) {
      this.#sendError(failure, sendError);
    }
  }

  /** `cancel`, `stop` and `abort` carry a reason; one that cannot cross is only named. */
  sendReason(kind: number, id: number, reason: unknown): void {
    this.#sendError(reason, (value) => this.sendValue(kind, id, value, "$.reason"));
  }

  /** The peer may forget uses of a reference. Releases of one turn leave in one frame. */
  release(id: number, count: number): void {
    if (!this.#parts.isListening()) return;
    if (this.#releases.size === 0) queueMicrotask(() => this.#flushReleases());
    this.#releases.set(id, (this.#releases.get(id) ?? 0) + count);
  }

  /** Send what was thrown, or what is left of it, or why it cannot cross. */
  #sendError(error: unknown, send: (value: unknown) => void): void {
    if (!this.#parts.isListening()) return;
    const failures: unknown[] = [];
    const unreadable = () => new Error("Cannot send an error as it must be readable: it is not");
    const forms = [
      () => error,
      () => errorSummary(error) ?? errorSummary(failures[0]) ?? unreadable(),
      unreadable,
    ];
    for (const form of forms) {
      try {
        return send(form());
      } catch (failure) {
        failures.push(failure);
        if (isPeerDeaf(failure)) break;
      }
    }
    this.#parts.breach(failures.at(-1));
  }

  #flushReleases(): void {
    const pairs = [...this.#releases].flat();
    this.#releases.clear();
    this.control([Kind.release, pairs]);
  }
}

/** Only a full queue ends the session; everything else is the value's fault. */
function isPeerDeaf(error: unknown): boolean {
  try {
    return error instanceof LimitExceededError && error.limit === "maxQueuedBytes";
  } catch {
    // A Proxy that a getter threw.
    return false;
  }
}
