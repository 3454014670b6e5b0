/**
 * The machinery of a session: its tables, what it sends, and how it ends. `RpcSession` is its public face.
 *
 * @module
 */

import type { FrameBody, FrameTransport } from "../transport/mod.ts";
import { DisposedError, LimitExceededError, PluginCrashedError, ProtocolError } from "../errors.ts";
import { AnswerSender } from "./answer_sender.ts";
import { synchronousStore } from "./ambient.ts";
import { dispatch } from "./dispatch.ts";
import { EventHandlers } from "./event_handlers.ts";
import { ExposedTargets } from "./exposed_targets.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameSender } from "./frame_sender.ts";
import { IncomingCalls } from "./incoming_calls.ts";
import { findLargeBody } from "./large_body.ts";
import { rpcLimits } from "./limits.ts";
import { Kind, type Message, PROTOCOL_VERSION } from "./messages.ts";
import { makeCall } from "./make_call.ts";
import { OutgoingCalls } from "./outgoing_calls.ts";
import { ReferenceTable } from "./references.ts";
import type { RpcSession } from "./session.ts";
import { SignalTable } from "./signal_table.ts";
import { StreamTable } from "./stream_table.ts";
import { describeMessage } from "./trace.ts";
import { TypeRegistry } from "./type_registry.ts";
import type { AmbientStore, PeerHello, RpcLimits, RpcSessionOptions, RpcState } from "./types.ts";
import { ValueReader } from "./value_reader.ts";
import { ValueWriter } from "./value_writer.ts";

/** How long last words may take to leave before the connection is cut. */
const LAST_WORDS_MS = 250;

/** The machinery of one session. */
export class SessionCore {
  readonly session: RpcSession;
  readonly options: RpcSessionOptions;
  readonly name: string;
  readonly limits: RpcLimits;
  readonly transport: FrameTransport;
  readonly frames: FrameReader;
  readonly sender: FrameSender;
  readonly answers: AnswerSender;
  readonly types: TypeRegistry;
  readonly reader: ValueReader;
  readonly references: ReferenceTable;
  readonly streams: StreamTable;
  readonly signals: SignalTable;
  readonly outgoing: OutgoingCalls;
  readonly incoming: IncomingCalls;
  readonly targets: ExposedTargets = new ExposedTargets();
  readonly events: EventHandlers;
  readonly ambient: AmbientStore;
  readonly greeting: PromiseWithResolvers<PeerHello> = Promise.withResolvers();
  readonly goodbye: PromiseWithResolvers<number | null> = Promise.withResolvers();
  readonly end: PromiseWithResolvers<Error | null> = Promise.withResolvers();
  readonly pings: Map<number, () => void> = new Map();
  state: RpcState = "new";
  /** Why nothing works any more; set when the state becomes `closed`. */
  failure: Error | undefined;

  /**
   * @param session The public face.
   * @param transport Owned from now on.
   * @param options Of the session.
   */
  constructor(session: RpcSession, transport: FrameTransport, options: RpcSessionOptions) {
    this.session = session;
    this.options = options;
    this.name = options.name ?? "the peer";
    const limits = this.limits = rpcLimits(options.limits);
    this.transport = transport;
    this.ambient = options.ambient ?? synchronousStore();
    this.greeting.promise.catch(() => undefined);
    this.frames = new FrameReader(limits);
    const { maxQueuedBytes } = limits;
    const makeWriter = () => this.#newWriter();
    this.sender = new FrameSender({ transport, makeWriter, maxQueuedBytes, trace: options.trace }, limits);
    this.answers = new AnswerSender({
      sender: this.sender,
      streams: () => this.streams,
      isListening: () => this.state !== "closed" && this.state !== "closing",
      breach: (error) => this.breach(error),
    });
    this.references = new ReferenceTable({
      callReference: (id, method, args, options) => makeCall(this, id, method, args, options),
      releaseReference: (id, count) => this.answers.release(id, count),
    }, limits.maxReferences);
    this.signals = new SignalTable(
      (id, reason) => this.answers.sendReason(Kind.abort, id, reason),
      limits.maxReferences,
    );
    this.streams = new StreamTable(
      {
        sendItem: (stream, value) => this.answers.sendValue(Kind.item, stream, value, "$.item"),
        sendEnd: (stream, end) => this.answers.sendEnd(stream, end),
        sendCredit: (stream, items) => this.answers.control([Kind.credit, stream, items]),
        sendStop: (stream, reason) => this.answers.sendReason(Kind.stop, stream, reason),
        drained: () => this.transport.drained(),
      },
      limits,
      this.ambient,
    );
    this.types = options.types ?? new TypeRegistry();
    this.reader = new ValueReader({
      session,
      references: this.references,
      streams: this.streams,
      signals: this.signals,
      types: this.types,
      mapStack: options.mapStack ?? ((stack) => stack),
      onPeerError: options.onPeerError ?? (() => {}),
    });
    this.events = new EventHandlers((error, where) => this.handlerFailed(error, where));
    this.outgoing = new OutgoingCalls((id, reason) => this.answers.sendReason(Kind.cancel, id, reason), {
      peerName: this.name,
      maxInFlight: limits.maxInFlight,
      forgetSignals: (ids) => this.signals.forget(ids),
    });
    this.incoming = new IncomingCalls({
      session,
      targets: this.targets,
      references: this.references,
      reader: this.reader,
      signals: this.signals,
      ambient: this.ambient,
      limits,
      depthOf: (id) => this.outgoing.depthOf(id),
      reply: (call, value) => this.answers.reply(call, value),
      replyError: (id, error) => this.answers.replyError(id, error),
      sendProgress: (id, value) => void this.answers.sendValue(Kind.progress, id, value, "$.progress"),
      handlerFailed: (error, where) => this.handlerFailed(error, where),
    });
  }

  #newWriter(): ValueWriter {
    return new ValueWriter({
      session: this.session,
      references: this.references,
      streams: this.streams,
      signals: this.signals,
      types: this.types,
      sendStacks: this.options.sendStacks ?? this.options.role === "guest",
      bytesInFlight: () => this.transport.queuedBytes + this.outgoing.bytes,
    });
  }

  /** Begin to read. */
  start(): void {
    // Whoever starts a session inside a served call must not have its frames handled inside that call.
    this.ambient.run(undefined, () =>
      this.transport.start({
        onFrame: (frame, body) => this.#onFrame(frame, body),
        findBody: findLargeBody,
        onBroken: (error) => this.breach(error),
        onClosed: (error) => void this.#onClosed(error),
      }));
  }

  /** Guest: show the token. */
  greet(): void {
    const { token, runtime } = this.options;
    this.answers.control([Kind.hello, PROTOCOL_VERSION, token, runtime ?? {}, this.limits]);
  }

  /** Guest: see `RpcSession.goodbye()`. */
  async sayGoodbye(code: number): Promise<void> {
    if (this.state !== "open" && this.state !== "stopping") return;
    this.state = "stopping";
    this.answers.control([Kind.goodbye, code]);
    await this.transport.flushed();
    this.finish(
      new DisposedError(`Cannot use the session as this process said goodbye: exit code ${code}`),
      null,
    );
  }

  /** Throws unless values can be sent. */
  requireOpen(): void {
    if (this.state === "open" || (this.state === "stopping" && this.options.role === "guest")) return;
    throw this.failure ??
      new DisposedError(`Cannot use the session with ${this.name} as it must be open: it is ${this.state}`);
  }

  /** Something failed that nobody awaits. */
  handlerFailed(error: unknown, where: string): void {
    this.options.onHandlerError?.(error, where);
  }

  /** The peer broke a rule or a bound: say so and close. */
  breach(error: unknown): void {
    const failure = error instanceof ProtocolError ? error : new ProtocolError(
      `Cannot go on with ${this.name} as it broke a rule: ${
        error instanceof Error ? error.message : String(error)
      }`,
      { cause: error },
    );
    this.finish(failure, failure, failure.message);
  }

  /**
   * The end. Everything pending rejects in this very turn.
   *
   * @param failure What is rejected with.
   * @param outcome What `closed` resolves to.
   * @param lastWords Told to the peer, if it still listens.
   */
  finish(failure: Error, outcome: Error | null, lastWords?: string): void {
    if (this.state === "closed") return;
    const canSpeak = this.state !== "closing" && this.state !== "new";
    if (canSpeak && lastWords !== undefined) this.#speak([Kind.close, lastWords.slice(0, 1024)]);
    this.state = "closed";
    this.failure = failure;
    this.greeting.reject(failure);
    this.outgoing.clear(failure);
    this.incoming.clear(failure);
    this.signals.clear(failure);
    this.streams.clear(failure);
    this.references.clear();
    this.goodbye.resolve(null);
    void this.#close(canSpeak, outcome);
  }

  async #close(canSpeak: boolean, outcome: Error | null): Promise<void> {
    if (canSpeak) await flushedWithin(this.transport, LAST_WORDS_MS);
    this.transport.close();
    this.end.resolve(outcome);
  }

  #speak(message: Message): void {
    try {
      this.sender.send(message);
    } catch (error) {
      // A peer that does not read does not hear why.
      if (!(error instanceof LimitExceededError)) throw error;
    }
  }

  #onFrame(frame: Uint8Array, body: FrameBody | undefined): void {
    if (this.state === "closed" || this.state === "closing") return;
    try {
      const message = this.frames.read(frame, body);
      const length = body === undefined ? frame.length : frame.length + body.bytes.length;
      if (this.options.trace !== undefined) this.options.trace("in", describeMessage(message, length));
      dispatch(this, message, this.frames.needsRevival, length);
    } catch (error) {
      this.breach(error);
    }
  }

  async #onClosed(error: Error | null): Promise<void> {
    if (this.state === "closed" || this.state === "closing") return;
    if (error !== null) return this.finish(error, error);
    if (this.state === "stopping") {
      return this.finish(
        new DisposedError(`Cannot use the session with ${this.name} as it was stopped: it is over`),
        null,
      );
    }
    await this.peerGone();
  }

  /**
   * The peer ended without being asked to. Everything pending waits until it is known why.
   *
   * @param reason What it said itself, if it did.
   */
  async peerGone(reason: Error = connectionLost(this.name)): Promise<void> {
    this.state = "closing";
    let failure: Error;
    try {
      failure = await this.options.onPeerClosed?.() ?? reason;
    } catch (error) {
      failure = error instanceof Error ? error : reason;
    }
    this.finish(failure, failure);
  }
}

async function flushedWithin(transport: FrameTransport, ms: number): Promise<void> {
  const timeout = Promise.withResolvers<void>();
  const timer = setTimeout(timeout.resolve, ms);
  await Promise.race([transport.flushed(), timeout.promise]);
  clearTimeout(timer);
}

function connectionLost(name: string): PluginCrashedError {
  return new PluginCrashedError(`Cannot reach ${name} as its connection ended: it did not say goodbye`, {
    reason: "exit-code",
  });
}
