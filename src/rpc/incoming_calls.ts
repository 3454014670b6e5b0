/**
 * Serves the peer's calls: finds what is named, runs it, sends one reply for each.
 *
 * @module
 */

import { DisposedError, ProtocolError } from "../errors.ts";
import { type ExposedTargets, notExposed } from "./exposed_targets.ts";
import type { RawMessage } from "./messages.ts";
import type { ReferenceTable } from "./references.ts";
import { invoke, refusedByLimit, ServedCall } from "./served_call.ts";
import type { SignalTable } from "./signal_table.ts";
import type { RpcSession } from "./session.ts";
import type { AmbientStore, PendingCall, RpcFunction, RpcLimits } from "./types.ts";
import type { ValueReader } from "./value_reader.ts";

/** What serving needs of its session. */
export interface ServingParts {
  readonly session: RpcSession;
  readonly targets: ExposedTargets;
  readonly references: ReferenceTable;
  readonly reader: ValueReader;
  readonly signals: SignalTable;
  readonly ambient: AmbientStore;
  readonly limits: RpcLimits;
  /** Depth of a call of ours that the peer serves; 0 if there is none. */
  readonly depthOf: (id: number) => number;
  readonly reply: (call: ServedCall, value: unknown) => void;
  readonly replyError: (id: number, error: unknown) => void;
  readonly sendProgress: (id: number, value: unknown) => void;
  readonly handlerFailed: (error: unknown, where: string) => void;
}

/** The calls of the peer that are being served. */
export class IncomingCalls {
  readonly #parts: ServingParts;
  readonly #calls = new Map<number, ServedCall>();
  #lastId = 0;
  #notifications = 0;
  #bytes = 0;
  #served = 0;
  #failed = 0;

  /**
   * @param parts Of the session.
   */
  constructor(parts: ServingParts) {
    this.#parts = parts;
  }

  /** Calls being served. */
  get size(): number {
    return this.#calls.size + this.#notifications;
  }

  /** Calls served so far, those in flight included. */
  get served(): number {
    return this.#served;
  }

  /** Calls that ended with an error. */
  get failed(): number {
    return this.#failed;
  }

  /**
   * A number that the peer gives to a call or load: each is used once.
   *
   * @param id What the peer named.
   * @returns The number.
   * @throws {ProtocolError} If it is no new number.
   */
  newId(id: unknown): number {
    if (typeof id !== "number" || !Number.isSafeInteger(id) || id <= this.#lastId) {
      throw new ProtocolError(`Cannot serve call ${String(id)} as numbers only grow: it is not new`);
    }
    this.#lastId = id;
    return id;
  }

  /**
   * Serve a `call` message.
   *
   * @param message Decoded, hostile.
   * @param needsRevival Its arguments hold markers or binaries.
   * @param bytes Size of its frame.
   * @throws {ProtocolError} If it is not a call as PROTOCOL.md has it.
   */
  serve(message: RawMessage, needsRevival: boolean, bytes: number): void {
    const id = message[1] === 0 ? 0 : this.newId(message[1]);
    const target = message[3];
    const method = message[4];
    const args = message[5];
    if (
      (typeof target !== "string" && !isCount(target)) || typeof method !== "string" ||
      !Array.isArray(args) ||
      (message[2] !== 0 && !isCount(message[2]))
    ) {
      throw new ProtocolError(
        "Cannot serve a call as PROTOCOL.md describes its fields: they have other types",
      );
    }
    const timeoutMs = message.length > 6 ? asTimeout(message[6]) : 0;
    const call = new ServedCall({
      session: this.#parts.session,
      id,
      target: typeof target === "string" ? target : "reference",
      method,
      depth: this.#parts.depthOf(message[2]) + 1,
      timeoutMs,
      startedAt: performance.now(),
      bytes,
      signalTable: this.#parts.signals,
      sendProgress: message[7] === true ? this.#parts.sendProgress : undefined,
    });
    this.#served++;
    this.#run(call, target, args, needsRevival);
  }

  /**
   * The caller gave up.
   *
   * @param id What the peer named. A call that is finished is no error: the messages crossed.
   * @param reason What the signal carries.
   * @throws {ProtocolError} If there never was such a call.
   */
  cancel(id: unknown, reason: unknown): void {
    if (!isCount(id) || id > this.#lastId) {
      throw new ProtocolError(`Cannot cancel call ${String(id)} as it was never made: it is unknown`);
    }
    this.#calls.get(id)?.abort(reason);
  }

  /**
   * The caller is gone: every signal aborts. Replies go nowhere.
   *
   * @param reason What the signals carry.
   */
  clear(reason: Error): void {
    const calls = [...this.#calls.values()];
    this.#calls.clear();
    this.#bytes = 0;
    for (const call of calls) call.abort(reason);
  }

  /**
   * What is being served, for people.
   *
   * @param now On `performance.now()`'s clock.
   * @returns One entry for each call.
   */
  inspect(now: number): PendingCall[] {
    return [...this.#calls.values()].map(({ id, target, method, startedAt, depth }) => {
      return { direction: "in", id, target, method, ageMs: now - startedAt, depth };
    });
  }

  #run(call: ServedCall, target: string | number, args: unknown[], needsRevival: boolean): void {
    let result: unknown;
    let pending: Promise<unknown> | undefined;
    let hasStarted = false;
    try {
      // Revived first, so that references in a refused call are given back.
      const values = needsRevival ? this.#revived(args, call) : args;
      this.#checkRoom(call);
      call.body = this.#body(target, call.method, values);
      this.#begin(call);
      hasStarted = true;
      result = this.#parts.ambient.run(call, invoke);
      // In here, as looking for a "then" may run code that throws.
      pending = promiseOf(result);
    } catch (error) {
      if (!hasStarted && error instanceof ProtocolError) throw error;
      return this.#finishWithError(call, error, hasStarted);
    }
    if (pending === undefined) return this.#finish(call, result);
    pending.then(
      (value) => this.#finish(call, value),
      (error) => this.#finishWithError(call, error, true),
    );
  }

  #revived(args: unknown[], call: ServedCall): unknown[] {
    // Without an answer nobody knows when the call is over.
    const owner = call.id === 0 ? undefined : call;
    const values = this.#parts.reader.read(args, "$.args", undefined, owner);
    if (Array.isArray(values)) return values;
    throw new ProtocolError("Cannot serve a call as its arguments must be a list: they are another value");
  }

  #body(target: string | number, method: string, args: unknown[]): NonNullable<ServedCall["body"]> {
    if (typeof target === "string") {
      return { self: undefined, member: this.#parts.targets.find(target, method), args };
    }
    const reference = this.#parts.references.exported(target);
    if (reference.members === undefined && method === "") {
      return { self: undefined, member: reference.target as RpcFunction, args };
    }
    const member = reference.members?.get(method);
    if (member === undefined) throw notExposed("reference", method);
    return { self: reference.target, member, args };
  }

  #checkRoom(call: ServedCall): void {
    const { maxInFlight, maxDepth, maxQueuedBytes } = this.#parts.limits;
    if (this.size >= maxInFlight) throw refusedByLimit("maxInFlight", this.size + 1, maxInFlight);
    if (call.depth > maxDepth) throw refusedByLimit("maxDepth", call.depth, maxDepth);
    const bytes = this.#bytes + call.bytes;
    if (bytes > maxQueuedBytes) throw refusedByLimit("maxQueuedBytes", bytes, maxQueuedBytes);
  }

  #begin(call: ServedCall): void {
    this.#bytes += call.bytes;
    if (call.id === 0) this.#notifications++;
    else this.#calls.set(call.id, call);
  }

  #end(call: ServedCall): boolean {
    if (call.id === 0) {
      this.#notifications--;
      this.#bytes -= call.bytes;
      return false;
    }
    // After `clear()` there is nobody to reply to.
    if (!this.#calls.delete(call.id)) return false;
    this.#bytes -= call.bytes;
    return true;
  }

  #finish(call: ServedCall, value: unknown): void {
    if (this.#end(call)) this.#parts.reply(call, value);
    call.answered();
  }

  #finishWithError(call: ServedCall, error: unknown, hasStarted: boolean): void {
    this.#failed++;
    const owesReply = hasStarted ? this.#end(call) : call.id !== 0;
    call.answered();
    if (owesReply) this.#parts.replyError(call.id, error);
    else if (call.id === 0 && !isDisposed(error)) {
      this.#parts.handlerFailed(error, `notification "${call.target}.${call.method}"`);
    }
  }
}

function isDisposed(error: unknown): boolean {
  try {
    return error instanceof DisposedError;
  } catch {
    // A Proxy that was thrown.
    return false;
  }
}

function promiseOf(result: unknown): Promise<unknown> | undefined {
  const isThenable = typeof (result as PromiseLike<unknown> | null | undefined)?.then === "function";
  return isThenable ? Promise.resolve(result) : undefined;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isSafeInteger(value) && value >= 1;
}

function asTimeout(value: unknown): number {
  if (typeof value === "number" && value >= 0 && Number.isFinite(value)) return value;
  throw new ProtocolError("Cannot serve a call as its timeout must be milliseconds: it is not");
}
