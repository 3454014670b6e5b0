/**
 * One connection between a host and a guest: the protocol of PROTOCOL.md over a frame transport.
 *
 * @module
 */

import type { FrameTransport } from "../transport/mod.ts";
import { DisposedError } from "../errors.ts";
import { makeCall, makeRequest, sendNotification } from "./make_call.ts";
import { Kind } from "./messages.ts";
import { remoteStream } from "./remote_stream.ts";
import { SessionCore } from "./session_core.ts";
import { sessionInspection, sessionStats } from "./session_report.ts";
import type {
  CallOptions,
  ExportDescription,
  LoadSpec,
  PeerHello,
  RpcFunction,
  RpcInspection,
  RpcLimits,
  RpcRole,
  RpcSessionOptions,
  RpcState,
  RpcStats,
} from "./types.ts";

/**
 * Calls, streams, events and lifecycle over one connection. Owns its transport.
 *
 * @example
 * ```ts
 * import { memoryTransportPair } from "../transport/mod.ts";
 * import { RpcSession } from "./session.ts";
 *
 * const [left, right] = memoryTransportPair();
 * await using host = new RpcSession(left, { role: "host", token: "secret" });
 * await using guest = new RpcSession(right, { role: "guest", token: "secret" });
 * guest.expose("math", new Map([["add", (a: number, b: number) => a + b]]));
 * await Promise.all([host.start(), guest.start()]);
 * await host.call("math", "add", [1, 2]); // 3
 * ```
 */
export class RpcSession implements AsyncDisposable {
  /** Which end this is. */
  readonly role: RpcRole;
  /** Name of the peer in messages. */
  readonly name: string;
  /** The bounds that we apply to the peer. */
  readonly limits: RpcLimits;
  /** Settles when the connection is over: null in order, else why. Never rejects. */
  readonly closed: Promise<Error | null>;
  readonly #core: SessionCore;
  #lastPing = 0;

  /**
   * A session that has not begun; see `start()`.
   *
   * @param transport Owned by the session from now on.
   * @param options Role, token, and what differs from the defaults.
   * @throws {RangeError} If a limit is not a positive integer.
   */
  constructor(transport: FrameTransport, options: RpcSessionOptions) {
    this.#core = new SessionCore(this, transport, options);
    this.role = options.role;
    this.name = this.#core.name;
    this.limits = this.#core.limits;
    this.closed = this.#core.end.promise;
  }

  /** Where the session stands. */
  get state(): RpcState {
    return this.#core.state;
  }

  /**
   * Begin to read and exchange hellos. Called once.
   *
   * @param signal Gives up: the session closes.
   * @returns What the peer said about itself.
   * @throws {ProtocolError} If the token or the version is wrong, or something else comes first.
   */
  async start(signal?: AbortSignal): Promise<PeerHello> {
    const core = this.#core;
    if (core.state !== "new") {
      throw new TypeError(`Cannot start a session as it starts once: it is ${core.state}`);
    }
    const onAbort = () => this.close(asError(signal?.reason));
    if (signal?.aborted === true) {
      onAbort();
      throw signal.reason;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    core.state = "greeting";
    core.start();
    if (this.role === "guest") core.greet();
    try {
      return await core.greeting.promise;
    } finally {
      signal?.removeEventListener("abort", onAbort);
    }
  }

  /**
   * Host: have the guest load a module.
   *
   * @param spec What to load.
   * @param options `signal` gives up waiting.
   * @returns What the module exports.
   * @throws What loading threw there.
   */
  async load(spec: LoadSpec, options?: Pick<CallOptions, "signal">): Promise<readonly ExportDescription[]> {
    const facts = { kind: "load", options, timeoutMs: 0, depth: 1 } as const;
    const exports = await makeRequest(this.#core, "", "load", facts, (id) => {
      return [Kind.load, id, spec];
    });
    return exports as readonly ExportDescription[];
  }

  /**
   * Let the peer call functions by name.
   *
   * @param target Name of the target.
   * @param members Exactly what may be called.
   * @throws {TypeError} If the name is taken.
   */
  expose(target: string, members: ReadonlyMap<string, RpcFunction>): void {
    this.#core.targets.add(target, members);
  }

  /**
   * Take a target away.
   *
   * @param target Name of the target.
   */
  unexpose(target: string): void {
    this.#core.targets.remove(target);
  }

  /**
   * Call a function of the peer.
   *
   * @param target Name under which it was exposed there.
   * @param method Name of the member.
   * @param args Arguments; owned by the caller, read before this returns.
   * @param options Signal, deadline, progress.
   * @returns What the function returned.
   * @throws What the function threw; the signal's reason; `CallTimeoutError`, `SerializationError`,
   * `LimitExceededError`, `DisposedError`, or why the peer is gone.
   */
  call(target: string, method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    return makeCall(this.#core, target, method, args, options);
  }

  /**
   * Call a generator of the peer. The call is made with the first `next()`.
   *
   * @param target Name under which it was exposed there.
   * @param method Name of the member.
   * @param args Arguments.
   * @param options Signal (for as long as the stream is read) and deadline (of its opening).
   * @returns The items; ending the iteration stops the generator.
   */
  stream(
    target: string,
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): AsyncIterableIterator<unknown> & AsyncDisposable {
    const open = (signal: AbortSignal) => makeCall(this.#core, target, method, args, { ...options, signal });
    return remoteStream(open, `${target}.${method}`, options.signal);
  }

  /**
   * Call a function of the peer without an answer. What it throws goes to the peer's `onHandlerError`.
   *
   * @param target Name under which it was exposed there.
   * @param method Name of the member.
   * @param args Arguments.
   * @throws {SerializationError} If an argument cannot cross.
   */
  notify(target: string, method: string, args: readonly unknown[]): void {
    sendNotification(this.#core, target, method, args);
  }

  /**
   * Tell the peer that something happened. Nobody needs to listen.
   *
   * @param name Name of the event.
   * @param payload Any value that can cross.
   * @throws {SerializationError} If the payload cannot cross.
   */
  emit(name: string, payload?: unknown): void {
    this.#core.requireOpen();
    this.#core.answers.sendValue(Kind.event, name, payload, "$.payload");
  }

  /**
   * Listen to an event of the peer.
   *
   * @param name Name of the event.
   * @param handler Called with each payload, in the order of arrival.
   * @returns Disposing it removes the handler.
   */
  on(name: string, handler: (payload: unknown) => unknown): Disposable {
    return this.#core.events.add(name, handler);
  }

  /**
   * Measure the way to the peer and back.
   *
   * @returns Milliseconds.
   * @throws Why the session closed, if it does first.
   */
  async ping(): Promise<number> {
    const core = this.#core;
    core.requireOpen();
    const id = ++this.#lastPing;
    const answer = Promise.withResolvers<void>();
    core.pings.set(id, answer.resolve);
    const startedAt = performance.now();
    core.answers.control([Kind.ping, id]);
    await Promise.race([answer.promise, this.closed.then(() => Promise.reject(core.failure))]);
    return performance.now() - startedAt;
  }

  /**
   * Host: ask the guest to stop. New calls are refused from now on.
   *
   * @param graceMs How long to wait for its goodbye, in milliseconds.
   * @returns Its exit code; null if it stayed silent or closed without a word.
   */
  async shutdown(graceMs: number): Promise<number | null> {
    const core = this.#core;
    if (core.state !== "open") return null;
    core.state = "stopping";
    core.answers.control([Kind.shutdown, graceMs]);
    const timer = setTimeout(() => core.goodbye.resolve(null), graceMs);
    try {
      return await core.goodbye.promise;
    } finally {
      clearTimeout(timer);
    }
  }

  /**
   * Guest: say that this process is about to exit, and close.
   *
   * @param code Its exit code.
   * @returns When the message is with the kernel.
   */
  goodbye(code: number): Promise<void> {
    return this.#core.sayGoodbye(code);
  }

  /**
   * Close now. Everything pending rejects, and the peer is told why. Idempotent.
   *
   * @param error What is rejected with. @default a DisposedError
   */
  close(error?: Error): void {
    const rule = `Cannot use the session with ${this.name} as it was closed: it is over`;
    this.#core.finish(error ?? new DisposedError(rule), error ?? null, error?.message);
  }

  /** Counts, for people and tests. */
  stats(): RpcStats {
    return sessionStats(this.#core);
  }

  /** What the session is doing right now, for people. */
  inspect(): RpcInspection {
    return sessionInspection(this.#core);
  }

  /** Closes, and waits until that is done. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.closed;
  }
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}
