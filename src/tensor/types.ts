/**
 * What tensors are made of, and the bounds on them.
 *
 * @module
 */

/** Type of a tensor's elements. `bfloat16` is held as raw 16-bit patterns, `bool` as bytes 0 and 1. */
export type Dtype =
  | "float16"
  | "bfloat16"
  | "float32"
  | "float64"
  | "int8"
  | "int16"
  | "int32"
  | "int64"
  | "uint8"
  | "uint16"
  | "uint32"
  | "uint64"
  | "bool";

/** Where a tensor's bytes are. */
export type Device = "cpu";

/** Every array that a tensor's elements can be seen through. */
export type TensorArray =
  | Float16Array
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigUint64Array;

/** The array that shows the elements of a tensor, by its element type. */
export type DtypeArray<D extends Dtype> = {
  readonly float16: Float16Array;
  readonly bfloat16: Uint16Array;
  readonly float32: Float32Array;
  readonly float64: Float64Array;
  readonly int8: Int8Array;
  readonly int16: Int16Array;
  readonly int32: Int32Array;
  readonly int64: BigInt64Array;
  readonly uint8: Uint8Array;
  readonly uint16: Uint16Array;
  readonly uint32: Uint32Array;
  readonly uint64: BigUint64Array;
  readonly bool: Uint8Array;
}[D];

/** How a tensor is placed. */
export interface TensorOptions {
  /** Give it shared memory of its own even if it is small, so that both sides see the same bytes. @default false */
  readonly shared?: boolean;
}

/** Bounds on shared memory, in bytes and milliseconds. */
export interface TensorLimits {
  /** All shared memory of a host. @default 16 GiB */
  readonly totalBytes: number;
  /** What one plugin may have asked for and not given back. @default 8 GiB */
  readonly pluginBytes: number;
  /** Pieces of memory that one plugin may have asked for and not given back; each is a descriptor. @default 512 */
  readonly pluginRegions: number;
  /** Size of an arena; there are at most two for a plugin, made when they are needed. @default 64 MiB */
  readonly arenaBytes: number;
  /** From this size on, a tensor gets memory of its own. @default 1 MiB */
  readonly regionBytes: number;
  /** Below this size, the bytes of a tensor travel in the message. @default 16 KiB */
  readonly inlineBytes: number;
  /**
   * From this size on, typed arrays travel through shared memory; from 64 KiB on when there is no room in messages.
   *
   * @default 2 MiB
   */
  readonly arrayBytes: number;
  /** How long something that was sent is kept for a receiver that does not pick it up. @default 30 s */
  readonly retentionMs: number;
  /** How long a guest waits for the host's answer. @default 10 s */
  readonly answerMs: number;
  /** Address space of a process for tensors. @default 64 GiB */
  readonly windowBytes: number;
}

/** Bounds where nobody says otherwise. */
export const DEFAULT_TENSOR_LIMITS: TensorLimits = {
  totalBytes: 16 * 2 ** 30,
  pluginBytes: 8 * 2 ** 30,
  pluginRegions: 512,
  arenaBytes: 64 * 2 ** 20,
  regionBytes: 2 ** 20,
  inlineBytes: 16 * 1024,
  arrayBytes: 2 * 2 ** 20,
  retentionMs: 30_000,
  answerMs: 10_000,
  windowBytes: 64 * 2 ** 30,
};

/** Use of shared memory. */
export interface TensorStats {
  /** Through shared memory, or by copying bytes into messages. */
  readonly kind: "shared" | "copy";
  /** Shared memory that is taken, in bytes. */
  readonly usedBytes: number;
  /** Bound on it, in bytes. */
  readonly limitBytes: number;
  /** Pieces of shared memory that exist. */
  readonly regions: number;
  /** Tensors and arrays that were sent and are still the receiver's to release. */
  readonly leases: number;
  /** Tensors that are mapped in this process. */
  readonly mapped: number;
  /** Address space that is in use, in bytes. */
  readonly windowBytes: number;
}

/** What tensors need of a session's registry of types. */
export interface ValueTypes {
  /** Add a type. */
  register<T>(tag: string, codec: ValueCodec<T>): void;
}

/** How values of one type cross. */
export interface ValueCodec<T> {
  /** Is this value one of the type? */
  test(value: object, context: ValueContext): value is T & object;
  /** What stands for it in the message. */
  encode(value: T, context: ValueContext): unknown;
  /** The value again; what comes in is hostile. */
  decode(payload: unknown, context: ValueContext): T;
}

/** What a codec is told about the message. */
export interface ValueContext {
  /** Bytes that the message can still take without crowding out others. */
  readonly frameRoom: number;
  /** Register what to undo if the message is not sent, or not delivered, after all. */
  rollback(undo: () => void): void;
}

/** Time, replaceable by tests. */
export interface Clock {
  /** Milliseconds on a scale that never goes back. */
  now(): number;
  /** Call once, later, without keeping the process alive; the result cancels. */
  schedule(delayMs: number, callback: () => void): () => void;
}

/** The machine's time. */
export const SYSTEM_CLOCK: Clock = {
  now: () => performance.now(),
  schedule(delayMs, callback) {
    const timer = setTimeout(callback, delayMs);
    Deno.unrefTimer(timer);
    return () => clearTimeout(timer);
  },
};
