/**
 * What a session is given and what it gives back.
 *
 * @module
 */

import type { RpcSession } from "./session.ts";
import type { TypeRegistry } from "./type_registry.ts";

/** A function that a peer may call by name. Its result may be a promise. */
// deno-lint-ignore no-explicit-any
export type RpcFunction = (...args: any[]) => unknown;

/** Which end of the connection a session is. The host admits, loads and stops the guest. */
export type RpcRole = "host" | "guest";

/** Where a session stands in its life. */
export type RpcState = "new" | "greeting" | "open" | "stopping" | "closing" | "closed";

/** Bounds on what a peer may send and keep. */
export interface RpcLimits {
  /** Largest frame in bytes. */
  readonly maxFrameBytes: number;
  /** Deepest nesting of a value. */
  readonly maxNesting: number;
  /** Values in one frame: elements, keys and leaves together. */
  readonly maxValues: number;
  /** Calls in flight in one direction. */
  readonly maxInFlight: number;
  /** Calls nested host → plugin → host → … */
  readonly maxDepth: number;
  /** Functions and objects that one side holds of the other. */
  readonly maxReferences: number;
  /** Streams open in one direction. */
  readonly maxStreams: number;
  /** Items that a stream's writer may be ahead of its reader. */
  readonly streamWindowItems: number;
  /** Bytes that a stream's writer may be ahead of its reader; one item always passes. */
  readonly streamWindowBytes: number;
  /** Bytes that may wait for a peer that does not read. */
  readonly maxQueuedBytes: number;
}

/** One export, as a peer describes it. */
export interface ExportDescription {
  /** Name within its parent. */
  readonly name: string;
  /** `stream` is a generator function, `value` a constant that crossed by value. */
  readonly kind: "function" | "stream" | "object" | "value";
  /** What an `object` holds. */
  readonly members?: readonly ExportDescription[];
  /** The constant of a `value`. */
  readonly value?: unknown;
}

/** A service that the host offers. */
export interface ServiceDescription {
  /** Name by which the plugin asks for it. */
  readonly name: string;
  /** Name under which it was exposed. @default `name` */
  readonly target?: string;
  /** Its callable members. */
  readonly members: readonly ExportDescription[];
}

/** What the host tells a guest to load. Further keys are any value that can cross. */
export interface LoadSpec {
  /** Path of the entry module as the guest sees it. */
  readonly entry: string;
  /** Services that the plugin may use. */
  readonly services?: readonly ServiceDescription[];
  /** What else host and guest agreed on. */
  readonly [key: string]: unknown;
}

/** What the peer said about itself in its hello. */
export interface PeerHello {
  /** Protocol version that both speak. */
  readonly version: number;
  /** The guest's description of its runtime; empty at the guest. */
  readonly runtime: Readonly<Record<string, unknown>>;
  /** The bounds that the peer applies to what we send, as far as it told. */
  readonly limits: Readonly<Partial<RpcLimits>>;
}

/** Options of one call. */
export interface CallOptions {
  /** Aborts the call here and on the other side; the call rejects with its reason. @default none */
  readonly signal?: AbortSignal | undefined;
  /** Deadline in milliseconds from now, at most 2^31 − 1; 0 is none. @default the session's `timeoutMs` */
  readonly timeoutMs?: number | undefined;
  /** Receives what the callee passes to `progress()`, for streams until they end. @default none */
  readonly onProgress?: ((value: unknown) => void) | undefined;
  /**
   * `false`: the call is sent and gives `undefined` at once. What it returns is dropped, what it throws is told to
   * whoever runs it: on stderr in a plugin, by `listener-error` in a host. @default true
   */
  readonly wantsReply?: boolean | undefined;
}

/** The call that the running code serves. */
export interface CallContext {
  /**
   * The session that it came over.
   *
   * @internal
   */
  readonly session: RpcSession;
  /** The caller's number for it; 0 for a notification. */
  readonly id: number;
  /** Exposed name, or `"function"` / `"object"` for a callback or handle. */
  readonly target: string;
  /** Method within the target. */
  readonly method: string;
  /** Nested calls up to and including this one. */
  readonly depth: number;
  /** Aborted when the caller gave up, its deadline passed or the peer is gone. */
  readonly signal: AbortSignal;
  /** Milliseconds that the caller granted; 0 is no bound. */
  readonly timeoutMs: number;
  /** The deadline on `performance.now()`'s clock; Infinity is none, as there is none any more for streams. */
  readonly deadlineAt: number;
  /** The reply is on its way and no stream of the result is open: what still runs is background work. */
  readonly isFinished: boolean;
  /**
   * Tell the caller how far the work is. Does nothing when the caller does not listen.
   *
   * @param value Any value that can cross.
   */
  progress(value: unknown): void;
}

/** Keeps the current call across awaits. */
export interface AmbientStore {
  /** Run `body` with `context` as the current call; undefined is none. */
  run<C extends CallContext | undefined, T>(context: C, body: (context: C) => T): T;
  /** The current call, if there is one. */
  get(): CallContext | undefined;
}

/**
 * What an encoder or decoder of a custom type may use.
 *
 * @internal
 */
export interface CodecContext {
  /** The session that the value crosses. */
  readonly session: RpcSession;
  /** Bytes that this frame can still take without crowding out others: other calls that wait for the peer count, too. */
  readonly frameRoom: number;
  /**
   * Undo something if the frame is not sent, or not delivered, after all.
   *
   * @param undo Called at most once; must not throw.
   */
  rollback(undo: () => void): void;
}

/** How values of one type cross. */
export interface TypeCodec<T> {
  /**
   * Is this value ours? Must not throw.
   *
   * @param value A class instance or an ArrayBuffer view.
   * @param context Of the frame.
   * @returns Whether `encode()` is to write it.
   */
  test(value: object, context: CodecContext): value is T & object;
  /**
   * Value → something that can cross.
   *
   * @param value One of which `test()` said yes.
   * @param context Of the frame.
   * @returns What is sent in its place. What this throws fails the call.
   */
  encode(value: T, context: CodecContext): unknown;
  /**
   * What the peer sent → value. What this throws fails the call.
   *
   * @param payload What the peer's `encode()` returned, or anything else: it is hostile, validate it.
   * @param context Of the frame.
   * @returns The value.
   */
  decode(payload: unknown, context: CodecContext): T;
}

/** Receives one line for each frame. */
export type FrameTrace = (direction: "in" | "out", line: string) => void;

/** Options of a session. */
export interface RpcSessionOptions {
  /** Which end this is. */
  readonly role: RpcRole;
  /** Secret that the guest shows and the host compares. */
  readonly token: string;
  /** Name of the peer in messages. @default "the peer" */
  readonly name?: string;
  /** Bounds that differ from `DEFAULT_RPC_LIMITS`. */
  readonly limits?: Partial<RpcLimits>;
  /** Custom types; may be shared between sessions. */
  readonly types?: TypeRegistry;
  /** Deadline of calls that do not set one, in milliseconds; 0 is none. @default 0 */
  readonly timeoutMs?: number;
  /** What a guest tells about itself. @default {} */
  readonly runtime?: Readonly<Record<string, unknown>>;
  /** Keeps `currentCall()` across awaits. @default only until the first await */
  readonly ambient?: AmbientStore;
  /** Receives a line for each frame. */
  readonly trace?: FrameTrace | undefined;
  /** Rewrites stacks of the peer's errors to source positions. */
  readonly mapStack?: (stack: string) => string;
  /** Sees each error of the peer before anybody else does, and may add properties. Must not throw. */
  readonly onPeerError?: (error: Error) => void;
  /** Errors that we send carry our stack. @default true for a guest, false for a host */
  readonly sendStacks?: boolean;
  /** The connection ended without goodbye: why? Everything pending waits for the answer and rejects with it. */
  readonly onPeerClosed?: () => Promise<Error>;
  /** Guest: load a module. */
  readonly onLoad?: (spec: LoadSpec) => Promise<readonly ExportDescription[]>;
  /** Guest: the host was told what the module exports. Must not throw. */
  readonly onLoaded?: () => void;
  /** Guest: stop within `graceMs`; gives the exit code. */
  readonly onShutdown?: (graceMs: number) => Promise<number>;
  /** Host: the guest is about to exit on purpose. */
  readonly onGoodbye?: (code: number) => void;
  /** Something failed that nobody awaits: a notification, an event handler. */
  readonly onHandlerError?: (error: unknown, where: string) => void;
}

/** Counts of one session. */
export interface RpcStats {
  /** Bytes read from the peer. */
  readonly bytesIn: number;
  /** Bytes written to the peer. */
  readonly bytesOut: number;
  /** Frames read. */
  readonly framesIn: number;
  /** Frames written. */
  readonly framesOut: number;
  /** Bytes that wait for the peer to read. */
  readonly queuedBytes: number;
  /** Calls made so far. */
  readonly callsOut: number;
  /** Calls served so far. */
  readonly callsIn: number;
  /** Calls that ended with an error, both directions. */
  readonly callsFailed: number;
  /** Calls that wait for the peer. */
  readonly pendingOut: number;
  /** Calls of the peer that are being served. */
  readonly pendingIn: number;
  /** Functions and handles that the peer holds of ours. */
  readonly exported: number;
  /** Functions and handles of the peer that we hold. */
  readonly imported: number;
  /** Open streams that we write. */
  readonly streamsOut: number;
  /** Open streams that we read. */
  readonly streamsIn: number;
  /** Abort signals of ours that the peer got as arguments and may still hear of. */
  readonly signalsOut: number;
  /** Abort signals of the peer that may still abort. */
  readonly signalsIn: number;
  /** Events that arrived and had no handler. */
  readonly eventsUnheard: number;
}

/** One call that is not finished. */
export interface PendingCall {
  /** Who made it: the peer, or this side. */
  readonly direction: "in" | "out";
  /** Unique for its direction. */
  readonly id: number;
  /** What was called, such as a service. */
  readonly target: string;
  /** Name of the method, with dots for nested ones. */
  readonly method: string;
  /** Milliseconds since it was made. */
  readonly ageMs: number;
  /** Calls above it, on both sides. */
  readonly depth: number;
}

/** What a session is doing, for people. */
export interface RpcInspection {
  /** Name of the session, for messages. */
  readonly name: string;
  /** Which side this is. */
  readonly role: RpcRole;
  /** How far the session is. */
  readonly state: RpcState;
  /** Calls that are not finished. */
  readonly pending: readonly PendingCall[];
  /** Exposed target → its members. */
  readonly targets: Readonly<Record<string, readonly string[]>>;
  /** Its counts. */
  readonly stats: RpcStats;
}
