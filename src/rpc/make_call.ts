/**
 * Sends calls and loads: who makes them, how deep they are nested, how long they may take.
 *
 * @module
 */

import { LimitExceededError } from "../errors.ts";
import { MAX_TIMEOUT_MS } from "./limits.ts";
import { currentCall } from "./ambient.ts";
import { Kind, type Message } from "./messages.ts";
import type { OutgoingCall } from "./outgoing_calls.ts";
import type { SessionCore } from "./session_core.ts";
import type { CallOptions } from "./types.ts";

/** What a request is besides its message. */
export interface RequestFacts {
  readonly kind: "call" | "load";
  readonly options: CallOptions | undefined;
  readonly timeoutMs: number;
  readonly depth: number;
}

/** Builds a message around its number. */
export type RequestMessage = (id: number) => Message;

/**
 * See `RpcSession.call()`.
 *
 * @param core Of the session.
 * @param target Name of something exposed, or the number of a reference that the peer gave us.
 * @param method Name of the member; empty for a function.
 * @param args Read before this returns.
 * @param options Of the call.
 * @returns What the function returned.
 */
export function makeCall(
  core: SessionCore,
  target: string | number,
  method: string,
  args: readonly unknown[],
  options?: CallOptions,
): Promise<unknown> {
  if (options?.wantsReply === false) return callWithoutReply(core, target, method, args, options);
  if (options?.timeoutMs !== undefined && !isTimeout(options.timeoutMs)) {
    return Promise.reject(notATimeout(options.timeoutMs));
  }
  const context = currentCall();
  const isNested = context !== undefined && !context.isFinished && context.session === core.session;
  const parent = isNested ? context.id : 0;
  let timeoutMs = options?.timeoutMs ?? core.options.timeoutMs ?? 0;
  if (context !== undefined && context.deadlineAt < Infinity) {
    const left = Math.max(1, context.deadlineAt - performance.now());
    timeoutMs = timeoutMs > 0 ? Math.min(timeoutMs, left) : left;
  }
  const hasProgress = options?.onProgress !== undefined;
  const depth = (context?.depth ?? 0) + 1;
  return makeRequest(core, target, method, { kind: "call", options, timeoutMs, depth }, (id) => {
    return timeoutMs > 0 || hasProgress
      ? [Kind.call, id, parent, target, method, args, timeoutMs, hasProgress]
      : [Kind.call, id, parent, target, method, args];
  });
}

/**
 * See `RpcSession.notify()`.
 *
 * @param core Of the session.
 * @param target As for `makeCall()`.
 * @param method As for `makeCall()`.
 * @param args Read before this returns.
 */
export function sendNotification(
  core: SessionCore,
  target: string | number,
  method: string,
  args: readonly unknown[],
): void {
  core.requireOpen();
  core.sender.send([Kind.call, 0, 0, target, method, args], "$.args");
}

/**
 * Send something that has a reply.
 *
 * @param core Of the session.
 * @param target As for `makeCall()`.
 * @param method As for `makeCall()`.
 * @param facts What it is.
 * @param message Made around its number.
 * @returns The reply.
 */
export function makeRequest(
  core: SessionCore,
  target: string | number,
  method: string,
  facts: RequestFacts,
  message: RequestMessage,
): Promise<unknown> {
  const { kind, options, timeoutMs, depth } = facts;
  try {
    // The peer is gone and the reason is being found out: this call shares it.
    if (core.state === "closing") return core.end.promise.then(() => Promise.reject(core.failure));
    core.requireOpen();
    options?.signal?.throwIfAborted();
    if (depth > core.limits.maxDepth) throw tooDeep(depth, core.limits.maxDepth);
    const id = core.outgoing.nextId();
    const { promise, resolve, reject } = Promise.withResolvers<unknown>();
    const startedAt = performance.now();
    const call: OutgoingCall = {
      kind,
      id,
      target,
      method,
      depth,
      startedAt,
      deadlineAt: timeoutMs > 0 ? startedAt + timeoutMs : Infinity,
      timeoutMs,
      options,
      resolve,
      reject,
      onAbort: undefined,
      isAbandoned: false,
      signals: undefined,
      bytes: 0,
    };
    call.bytes = kind === "call"
      ? core.sender.send(message(id), "$.args", call)
      : core.sender.send(message(id), "$.load");
    core.outgoing.add(call);
    return promise;
  } catch (error) {
    return Promise.reject(error);
  }
}

async function callWithoutReply(
  core: SessionCore,
  target: string | number,
  method: string,
  args: readonly unknown[],
  options: CallOptions,
): Promise<undefined> {
  options.signal?.throwIfAborted();
  sendNotification(core, target, method, args);
  return await undefined;
}

function tooDeep(asked: number, allowed: number): LimitExceededError {
  return new LimitExceededError(
    `Cannot make a call as "maxDepth" is ${allowed}: that many calls are nested`,
    {
      limit: "maxDepth",
      asked,
      allowed,
      hint: "The two sides call each other without end",
    },
  );
}

function isTimeout(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value <= MAX_TIMEOUT_MS;
}

function notATimeout(value: unknown): RangeError {
  return new RangeError(
    `Cannot make a call as "timeoutMs" must be from 0 (none) to ${MAX_TIMEOUT_MS} ms: it is ${String(value)}`,
  );
}
