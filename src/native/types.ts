/**
 * What the native library offers to the rest of Cordon.
 *
 * @module
 */

/** What the kernel says about a memfd. */
export interface RegionFacts {
  /** Size of the file in bytes. */
  readonly bytes: number;
  /** Bytes that have pages behind them. */
  readonly allocatedBytes: number;
  /** It can neither shrink nor grow. */
  readonly isSizeSealed: boolean;
  /** Nobody can write it any more. */
  readonly isWriteSealed: boolean;
  /** Only mappings that existed before the seal can write it. */
  readonly isFutureWriteSealed: boolean;
  /** This descriptor was opened for writing. */
  readonly isWritable: boolean;
}

/** Whether writes through a mapping are everybody's or the writer's own; `"filled"` is shared with all pages made at once. */
export type MapMode = "shared" | "private" | "filled";

/** Reserved address space, into which memfds are mapped. It lasts as long as the process. */
export interface Window {
  /** Length in bytes. */
  readonly bytes: number;
  /** Bytes of a page: offsets and lengths of mappings are multiples of it. */
  readonly pageBytes: number;
  /**
   * A new buffer over a part of the window. It needs the `ffi` permission. Reading where nothing is mapped ends the
   * process, so whoever calls this answers for what is mapped there.
   *
   * @param offset Where it starts, in bytes.
   * @param bytes Its length.
   */
  arrayBuffer(offset: number, bytes: number): ArrayBuffer;
  /**
   * Map a part of a size-sealed memfd in place of whatever is there.
   *
   * @param offset Where in the window, in bytes.
   * @param fd The memfd; it may be closed afterwards.
   * @param fileOffset Where in the memfd, in bytes.
   * @param bytes How much.
   * @param mode Shared, or private with copy on write.
   */
  map(offset: number, fd: number, fileOffset: number, bytes: number, mode: MapMode): void;
  /**
   * Take a mapping away; the address space stays reserved.
   *
   * @param offset Where, in bytes.
   * @param bytes How much.
   */
  unmap(offset: number, bytes: number): void;
}

/** A message that came over a channel. */
export interface ReceivedMessage {
  /** Its length; 0 means that the peer is gone. */
  readonly bytes: number;
  /** The descriptor that came with it, the receiver's from now on, or -1. */
  readonly fd: number;
}

/** Sealed memory. */
export interface MemoryCalls {
  /**
   * A new memfd that can neither shrink nor grow. The caller owns the descriptor.
   *
   * @param bytes Its size.
   */
  memfd(bytes: number): number;
  /**
   * Forbid writing: for everybody (`"write"`, which needs that no writable shared mapping exists) or for everybody
   * but the mappings that exist (`"future-write"`).
   */
  seal(fd: number, seal: "write" | "future-write"): void;
  /** What the kernel says about a memfd; throws `EINVAL` for anything else. */
  regionFacts(fd: number): RegionFacts;
  /** Copy bytes into a memfd without mapping it. */
  fill(fd: number, offset: number, bytes: Uint8Array): void;
  /** Give pages of a memfd back. They read as zeros afterwards. */
  discard(fd: number, offset: number, bytes: number): void;
  /** Reserve address space; it is never given back. */
  reserveWindow(bytes: number): Window;
}

/** Sockets that carry messages and descriptors. */
export interface ChannelCalls {
  /** Two connected ends, nonblocking, closed on exec. The caller owns both. */
  socketPair(): readonly [number, number];
  /** Close a descriptor. */
  close(fd: number): void;
  /** Another descriptor for the same thing, the caller's to close; only in hosts. */
  duplicate(fd: number): number;
  /** End a socket in both directions. Whoever waits on it wakes up. */
  shutdown(fd: number): void;
  /** Mark every descriptor from `first` (3 or more) on as close-on-exec. */
  closeOnExec(first: number): void;
  /** Send one message; false when there is no room for it now. The descriptor stays the caller's. */
  send(fd: number, message: Uint8Array, passFd?: number): boolean;
  /** Receive one message, null when there is none now. Throws `EBADMSG` for one too long or with several descriptors. */
  receive(fd: number, into: Uint8Array): ReceivedMessage | null;
  /** Wait in this thread until there is something to receive; false when the time is over. */
  waitReadable(fd: number, timeoutMs: number): boolean;
  /** Resolves to true when there is something to receive, to false when the peer is gone. */
  readable(fd: number): Promise<boolean>;
}

/** A soft and a hard limit; 2^64 - 1 is none. */
export interface ResourceLimit {
  /** In force now. */
  readonly soft: bigint;
  /** How far the soft one may be raised. */
  readonly hard: bigint;
}

/** Resources that the kernel limits for one process. */
export type LimitedResource =
  | "cpu"
  | "fsize"
  | "data"
  | "stack"
  | "core"
  | "nproc"
  | "nofile"
  | "memlock"
  | "as";

/** What a Deno with few permissions may not ask by itself. */
export interface ProcessCalls {
  /** Put a filter (`struct sock_filter[]`) on every thread of this process. It cannot be taken off. */
  installSeccomp(filter: Uint8Array): void;
  /** The limits of a process (0 is this one) as they were, and set them if `limits` is given. */
  prlimit(pid: number, resource: LimitedResource, limits?: ResourceLimit): ResourceLimit;
  /** Read a whole file of at most `maxBytes` (64 KiB by default); `EFBIG` when there is more. */
  readFile(path: string, maxBytes?: number): Uint8Array;
  /**
   * Ask that up to `bytes` bytes that were written and not yet read fit into each connected Unix stream socket of this
   * process whose own name or whose peer's is `path`; returns what fits now. `ENOENT` when there is none.
   */
  sendRoom(path: string, bytes: number): number;
}

/**
 * The native library. Every call throws `NativeError` when the kernel refuses. Symbols go on working after the `ffi`
 * permission was revoked. Disposing closes the library; nothing may be called afterwards.
 */
export interface Native extends MemoryCalls, ChannelCalls, ProcessCalls, Disposable {
  /** Where the library was loaded from. */
  readonly path: string;
}

/** A compiled library and where it came from. */
export interface EmbeddedLibrary {
  /** First line that the compiler printed for `--version`. */
  readonly compiler: string;
  /** SHA-256 of the library, hex. */
  readonly sha256: string;
  /** The library. */
  readonly base64: string;
}
