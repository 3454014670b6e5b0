/**
 * What the native library offers of a graphics driver.
 *
 * @module
 */

/** A device as its driver describes it. */
export interface CudaDeviceFacts {
  /** Its name. */
  readonly name: string;
  /** What tells it from every other device, hex. */
  readonly uuid: string;
  /** Its memory in bytes. */
  readonly memoryBytes: number;
  /** Its generation, such as `[9, 0]`. */
  readonly capability: readonly [major: number, minor: number];
  /** Its memory can be exported as a descriptor. */
  readonly sharesByDescriptor: boolean;
}

/** Memory that others can map. */
export interface CudaSharedMemory {
  /** Where it is. */
  readonly address: bigint;
  /** Its size, rounded up to what the device gives at least. */
  readonly bytes: number;
  /** What the driver calls the allocation. */
  readonly allocation: bigint;
}

/**
 * A started driver. Contexts, streams, events, modules and kernels are the driver's own numbers; stream 0 is the default
 * stream. Every call throws `CudaError` with the driver's name for what went wrong.
 */
export interface CudaCalls extends Disposable {
  /** Version of the driver, 1000 × major + 10 × minor. */
  readonly driverVersion: number;
  /** Devices, in the driver's order. */
  readonly devices: readonly CudaDeviceFacts[];
  /** The device's primary context, held until `releaseContext()`. */
  context(device: number): bigint;
  /** Let go of the device's primary context. */
  releaseContext(device: number): void;
  /** Let a context's device reach another one's memory; throws `EOPNOTSUPP` where it cannot. */
  enablePeer(context: bigint, device: number, peerContext: bigint, peer: number): void;
  /** Wait in this thread until all work is done. */
  synchronize(context: bigint): void;
  /** Resolves when all work is done. */
  synchronized(context: bigint): Promise<void>;
  /** Free and total memory of the context's device in bytes. */
  memory(context: bigint): { readonly free: number; readonly total: number };
  /** New memory; contents are undefined. */
  allocate(context: bigint, bytes: number): bigint;
  /** Free what `allocate()` gave. */
  free(context: bigint, address: bigint): void;
  /** Copy to the device, waiting in this thread. */
  write(context: bigint, to: bigint, from: Uint8Array): void;
  /** Copy to the device; the bytes must not change until it resolves. */
  written(context: bigint, to: bigint, from: Uint8Array, stream: bigint): Promise<void>;
  /** Copy from the device, waiting in this thread. */
  read(context: bigint, into: Uint8Array, from: bigint): void;
  /** Copy from the device. */
  readElsewhere(context: bigint, into: Uint8Array, from: bigint, stream: bigint): Promise<void>;
  /** Copy between devices or within one, in the order of the stream. */
  copy(context: bigint, to: bigint, fromContext: bigint, from: bigint, bytes: number, stream: bigint): void;
  /** Set every byte, in the order of the stream. */
  fill(context: bigint, to: bigint, value: number, bytes: number, stream: bigint): void;
  /** The allocation around an address. */
  pointer(
    context: bigint,
    address: bigint,
  ): { readonly device: number; readonly start: bigint; readonly bytes: number };
  /** Memory that others can map. */
  createShared(context: bigint, device: number, bytes: number): CudaSharedMemory;
  /** A descriptor for it, the caller's. */
  exportShared(context: bigint, memory: CudaSharedMemory): number;
  /** Map what another process exported; the descriptor stays the caller's. */
  importShared(context: bigint, device: number, fd: number, bytes: number): CudaSharedMemory;
  /** Open mapped memory to another device of this process. */
  openShared(context: bigint, device: number, memory: CudaSharedMemory): void;
  /** Wait for the work that uses it, unmap and free. */
  freeShared(context: bigint, memory: CudaSharedMemory): void;
  /** 64 bytes that stand for memory of `allocate()`, for processes of the same pid namespace. */
  exportHandle(context: bigint, address: bigint): Uint8Array<ArrayBuffer>;
  /** Map what a handle stands for. */
  importHandle(context: bigint, handle: Uint8Array): bigint;
  /** Unmap what `importHandle()` gave. */
  freeHandle(context: bigint, address: bigint): void;
  /** 64 bytes that stand for a shared event. */
  exportEvent(context: bigint, event: bigint): Uint8Array<ArrayBuffer>;
  /** The event that a handle stands for. */
  importEvent(context: bigint, handle: Uint8Array): bigint;
  /** A new stream. */
  stream(context: bigint): bigint;
  /** Let go of a stream. */
  freeStream(context: bigint, stream: bigint): void;
  /** Resolves when the work of a stream is done. */
  streamDone(context: bigint, stream: bigint): Promise<void>;
  /** Let a stream wait for an event. */
  streamWait(context: bigint, stream: bigint, event: bigint): void;
  /** A new event; a shared one can be exported, and measures no time. */
  event(context: bigint, isShared: boolean): bigint;
  /** Let go of an event. */
  freeEvent(context: bigint, event: bigint): void;
  /** Put an event behind the work of a stream. */
  recordEvent(context: bigint, event: bigint, stream: bigint): void;
  /** Resolves when what is before an event is done. */
  eventDone(context: bigint, event: bigint): Promise<void>;
  /** Whether what the event was recorded after is done. */
  isEventDone(context: bigint, event: bigint): boolean;
  /** Milliseconds between two events. */
  elapsed(context: bigint, from: bigint, to: bigint): number;
  /** Load a program: PTX as text, or a binary. */
  module(context: bigint, image: string | Uint8Array): bigint;
  /** Unload a program. */
  freeModule(context: bigint, module: bigint): void;
  /** A kernel of a program. */
  kernel(context: bigint, module: bigint, name: string): bigint;
  /** Start a kernel. `shape`: grid, block and bytes of shared memory. */
  launch(
    context: bigint,
    kernel: bigint,
    shape: readonly [number, number, number, number, number, number, number],
    args: { readonly values: Uint8Array<ArrayBuffer>; readonly offsets: readonly number[] },
    stream: bigint,
  ): void;
}

/** The loaded symbols, before a driver was started. */
export interface CudaLibrary extends Disposable {
  /**
   * Load and start a driver.
   *
   * @param driver Path or name of its library.
   * @returns Its calls; the caller disposes them.
   * @throws {CudaError} If there is no driver, no device, or it is too old.
   */
  start(driver: string): CudaCalls;
}
