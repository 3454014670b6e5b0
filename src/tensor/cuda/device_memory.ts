/**
 * Memory of a device, whoever allocated it; counted references.
 *
 * @module
 */

import { CudaError } from "../../errors.ts";
import type { CudaCalls, CudaSharedMemory } from "../../native/cuda_types.ts";

/** Where the bytes are: this process' own, mapped from another one by descriptor or by handle, or in host memory. */
export type DeviceMemoryKind = "own" | "descriptor" | "handle" | "host-memory";

/** A context of a driver. */
export interface DeviceContext {
  /** The driver. */
  readonly calls: CudaCalls;
  /** Number of the device. */
  readonly device: number;
  /** The driver's number of the context. */
  readonly context: bigint;
}

/** What a piece of a device's memory is made of. */
export interface DriverMemoryParts {
  readonly on: DeviceContext;
  readonly kind: DeviceMemoryKind;
  readonly address: bigint;
  /** How much the tensor uses. */
  readonly bytes: number;
  /** The allocation that can be exported, or null. */
  readonly shared: CudaSharedMemory | null;
  /** Number by which the peer knows it, or 0. */
  readonly grant?: number;
  /** Give it back. */
  readonly free: () => void;
}

/** Bytes on a device, or what stands for them where there is none. */
export interface DeviceMemory {
  /** Where the bytes are. */
  readonly kind: DeviceMemoryKind;
  /** Number of the device. */
  readonly device: number;
  /** How many there are. */
  readonly bytes: number;
  /** 0 in host memory. */
  readonly address: bigint;
  /** Number by which the peer knows it, or 0. */
  readonly grant: number;
  /** Copy out; resolves when it is done. */
  read(offset: number, into: Uint8Array, stream: bigint): Promise<void>;
  /** Copy out, waiting in this thread. */
  readNow(offset: number, into: Uint8Array): void;
  /** Copy in; resolves when it is done. */
  write(offset: number, from: Uint8Array, stream: bigint): Promise<void>;
  /** Copy in, waiting in this thread. */
  writeNow(offset: number, from: Uint8Array): void;
  /** Copy from other memory, in the order of the stream. */
  copyFrom(offset: number, source: DeviceMemory, sourceOffset: number, bytes: number, stream: bigint): void;
  /** Wait in this thread until the work on its device is done, whatever stream it is on. */
  settle(): void;
  /** One more reference. */
  retain(): this;
  /** One reference less; the last one gives it back. */
  release(): void;
}

/** Memory that a driver gave. */
export class DriverMemory implements DeviceMemory {
  readonly on: DeviceContext;
  readonly kind: DeviceMemoryKind;
  readonly device: number;
  readonly bytes: number;
  readonly address: bigint;
  readonly shared: CudaSharedMemory | null;
  readonly grant: number;
  readonly #free: () => void;
  readonly #openTo = new Set<number>();
  #references = 1;

  /**
   * @param parts What it is made of; the maker has the first reference.
   */
  constructor(parts: DriverMemoryParts) {
    this.on = parts.on;
    this.kind = parts.kind;
    this.device = parts.on.device;
    this.bytes = parts.bytes;
    this.address = parts.address;
    this.shared = parts.shared;
    this.grant = parts.grant ?? 0;
    this.#free = parts.free;
  }

  read(offset: number, into: Uint8Array, stream: bigint): Promise<void> {
    return this.on.calls.readElsewhere(this.on.context, into, this.address + BigInt(offset), stream);
  }

  /** Let kernels of a peer of its device use it. What was allocated for this process alone is open to all peers. */
  openTo(device: number): void {
    if (this.shared === null || this.#openTo.has(device)) return;
    this.on.calls.openShared(this.on.context, device, this.shared);
    this.#openTo.add(device);
  }

  readNow(offset: number, into: Uint8Array): void {
    this.on.calls.read(this.on.context, into, this.address + BigInt(offset));
  }

  write(offset: number, from: Uint8Array, stream: bigint): Promise<void> {
    return this.on.calls.written(this.on.context, this.address + BigInt(offset), from, stream);
  }

  writeNow(offset: number, from: Uint8Array): void {
    this.on.calls.write(this.on.context, this.address + BigInt(offset), from);
  }

  copyFrom(offset: number, source: DeviceMemory, sourceOffset: number, bytes: number, stream: bigint): void {
    const { calls, context } = this.on;
    const to = this.address + BigInt(offset);
    if (source instanceof DriverMemory) {
      calls.copy(context, to, source.on.context, source.address + BigInt(sourceOffset), bytes, stream);
      return;
    }
    const part = new Uint8Array(bytes);
    source.readNow(sourceOffset, part);
    calls.write(context, to, part);
  }

  settle(): void {
    this.on.calls.synchronize(this.on.context);
  }

  retain(): this {
    this.#references++;
    return this;
  }

  release(): void {
    this.#references--;
    if (this.#references === 0) this.#free();
  }
}

/** Private memory of the process, where a device's cannot be had. */
export class StandInMemory implements DeviceMemory {
  readonly kind = "host-memory";
  readonly device: number;
  readonly address = 0n;
  readonly grant = 0;
  readonly #content: Uint8Array;

  /**
   * @param device The device that it stands for.
   * @param content The bytes.
   */
  constructor(device: number, content: Uint8Array) {
    this.device = device;
    this.#content = content;
  }

  get bytes(): number {
    return this.#content.byteLength;
  }

  read(offset: number, into: Uint8Array): Promise<void> {
    this.readNow(offset, into);
    return Promise.resolve();
  }

  readNow(offset: number, into: Uint8Array): void {
    into.set(this.#content.subarray(offset, offset + into.byteLength));
  }

  write(offset: number, from: Uint8Array): Promise<void> {
    this.writeNow(offset, from);
    return Promise.resolve();
  }

  writeNow(offset: number, from: Uint8Array): void {
    this.#content.set(from, offset);
  }

  copyFrom(offset: number, source: DeviceMemory, sourceOffset: number, bytes: number): void {
    source.readNow(sourceOffset, this.#content.subarray(offset, offset + bytes));
  }

  settle(): void {}

  retain(): this {
    return this;
  }

  release(): void {}
}

/**
 * The error for what only a device can do.
 *
 * @param what What was wanted.
 * @returns The error.
 */
export function needsDriver(what: string): CudaError {
  return new CudaError(`Cannot ${what} as that needs a GPU: tensors are kept in host memory`, {
    call: what,
    result: "CUDA_ERROR_NO_DEVICE",
    hint: "Run where NVIDIA's driver is installed; `cordon doctor` says what was found",
  });
}

/**
 * Give memory back where nobody could be told: after a fault the device refuses, and what it had goes with its context.
 *
 * @param give Gives it back.
 */
export function withoutFault(give: () => void): void {
  try {
    give();
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
  }
}
