/**
 * A started graphics driver, its numbers turned into errors with names.
 *
 * @module
 */

import { CudaError } from "../errors.ts";
import type { CudaSymbols } from "./cuda_symbols.ts";
import type { CudaCalls, CudaDeviceFacts, CudaSharedMemory } from "./cuda_types.ts";
import { HANDLE_BYTES, handleBytes, text } from "./cuda_bytes.ts";
import { errnoName } from "./native_failure.ts";

const NOT_READY = 600;
const NAME_BYTES = 256;

/** See `CudaCalls`. */
export class CudaDriver implements CudaCalls {
  readonly driverVersion: number;
  readonly devices: readonly CudaDeviceFacts[];
  readonly #symbols: CudaSymbols;
  readonly #handle: bigint;
  #isOpen = true;

  /**
   * @param symbols The loaded symbols.
   * @param handle What `cordon_cuda_open()` gave.
   */
  constructor(symbols: CudaSymbols, handle: bigint) {
    this.#symbols = symbols;
    this.#handle = handle;
    const counts = new Int32Array(2);
    this.#check("cuDeviceGetCount", symbols.cordon_cuda_counts(handle, counts));
    this.driverVersion = counts[0] ?? 0;
    this.devices = Array.from({ length: counts[1] ?? 0 }, (_, ordinal) => this.#device(ordinal));
  }

  context(device: number): bigint {
    return this.#made(
      "cuDevicePrimaryCtxRetain",
      (into) => this.#symbols.cordon_cuda_context(this.#handle, device, into),
    );
  }

  releaseContext(device: number): void {
    this.#check(
      "cuDevicePrimaryCtxRelease",
      this.#symbols.cordon_cuda_context_release(this.#handle, device),
    );
  }

  enablePeer(context: bigint, device: number, peerContext: bigint, peer: number): void {
    this.#check(
      "cuCtxEnablePeerAccess",
      this.#symbols.cordon_cuda_peer(this.#handle, context, device, peerContext, peer),
    );
  }

  synchronize(context: bigint): void {
    this.#check("cuCtxSynchronize", this.#symbols.cordon_cuda_synchronize(this.#handle, context));
  }

  async synchronized(context: bigint): Promise<void> {
    this.#check(
      "cuCtxSynchronize",
      await this.#symbols.cordon_cuda_synchronize_elsewhere(this.#handle, context),
    );
  }

  memory(context: bigint): { readonly free: number; readonly total: number } {
    const sizes = new BigUint64Array(2);
    this.#check("cuMemGetInfo", this.#symbols.cordon_cuda_memory(this.#handle, context, sizes));
    return { free: Number(sizes[0]), total: Number(sizes[1]) };
  }

  allocate(context: bigint, bytes: number): bigint {
    return this.#made(
      "cuMemAlloc",
      (into) => this.#symbols.cordon_cuda_alloc(this.#handle, context, BigInt(bytes), into),
    );
  }

  free(context: bigint, address: bigint): void {
    this.#check("cuMemFree", this.#symbols.cordon_cuda_free(this.#handle, context, address));
  }

  write(context: bigint, to: bigint, from: Uint8Array): void {
    const [bytes, size] = [from as Uint8Array<ArrayBuffer>, BigInt(from.byteLength)];
    const result = this.#symbols.cordon_cuda_write(this.#handle, context, to, bytes, size, 0n);
    this.#check("cuMemcpyHtoDAsync", result);
  }

  async written(context: bigint, to: bigint, from: Uint8Array, stream: bigint): Promise<void> {
    const bytes = from as Uint8Array<ArrayBuffer>;
    const size = BigInt(from.byteLength);
    const result = await this.#symbols.cordon_cuda_write_elsewhere(
      this.#handle,
      context,
      to,
      bytes,
      size,
      stream,
    );
    this.#check("cuMemcpyHtoDAsync", result);
  }

  read(context: bigint, into: Uint8Array, from: bigint): void {
    const [bytes, size] = [into as Uint8Array<ArrayBuffer>, BigInt(into.byteLength)];
    const result = this.#symbols.cordon_cuda_read(this.#handle, context, bytes, from, size, 0n);
    this.#check("cuMemcpyDtoHAsync", result);
  }

  async readElsewhere(context: bigint, into: Uint8Array, from: bigint, stream: bigint): Promise<void> {
    const bytes = into as Uint8Array<ArrayBuffer>;
    const size = BigInt(into.byteLength);
    const result = await this.#symbols.cordon_cuda_read_elsewhere(
      this.#handle,
      context,
      bytes,
      from,
      size,
      stream,
    );
    this.#check("cuMemcpyDtoHAsync", result);
  }

  copy(
    context: bigint,
    to: bigint,
    fromContext: bigint,
    from: bigint,
    bytes: number,
    stream: bigint,
  ): void {
    const size = BigInt(bytes);
    this.#check(
      "cuMemcpyDtoDAsync",
      this.#symbols.cordon_cuda_copy(this.#handle, context, to, fromContext, from, size, stream),
    );
  }

  fill(context: bigint, to: bigint, value: number, bytes: number, stream: bigint): void {
    const result = this.#symbols.cordon_cuda_fill(this.#handle, context, to, value, BigInt(bytes), stream);
    this.#check("cuMemsetD8Async", result);
  }

  pointer(
    context: bigint,
    address: bigint,
  ): { readonly device: number; readonly start: bigint; readonly bytes: number } {
    const facts = new BigUint64Array(4);
    this.#check(
      "cuPointerGetAttribute",
      this.#symbols.cordon_cuda_pointer(this.#handle, context, address, facts),
    );
    return { device: Number(facts[1]), start: facts[2] ?? 0n, bytes: Number(facts[3]) };
  }

  createShared(context: bigint, device: number, bytes: number): CudaSharedMemory {
    return this.#shared(
      "cuMemCreate",
      (into) => this.#symbols.cordon_cuda_share_create(this.#handle, context, device, BigInt(bytes), into),
    );
  }

  exportShared(context: bigint, { allocation }: CudaSharedMemory): number {
    const fd = new Int32Array(1);
    this.#check(
      "cuMemExportToShareableHandle",
      this.#symbols.cordon_cuda_share_export(this.#handle, context, allocation, fd),
    );
    return fd[0] ?? -1;
  }

  importShared(context: bigint, device: number, fd: number, bytes: number): CudaSharedMemory {
    return this.#shared(
      "cuMemImportFromShareableHandle",
      (into) =>
        this.#symbols.cordon_cuda_share_import(this.#handle, context, device, fd, BigInt(bytes), into),
    );
  }

  openShared(context: bigint, device: number, { address, bytes, allocation }: CudaSharedMemory): void {
    const memory = new BigUint64Array([address, BigInt(bytes), allocation]);
    this.#check(
      "cuMemSetAccess",
      this.#symbols.cordon_cuda_share_open(this.#handle, context, device, memory),
    );
  }

  freeShared(context: bigint, { address, bytes, allocation }: CudaSharedMemory): void {
    const memory = new BigUint64Array([address, BigInt(bytes), allocation]);
    this.#check("cuMemUnmap", this.#symbols.cordon_cuda_share_free(this.#handle, context, memory));
  }

  exportHandle(context: bigint, address: bigint): Uint8Array<ArrayBuffer> {
    const handle = new Uint8Array(HANDLE_BYTES);
    this.#check(
      "cuIpcGetMemHandle",
      this.#symbols.cordon_cuda_ipc_export(this.#handle, context, address, handle),
    );
    return handle;
  }

  importHandle(context: bigint, handle: Uint8Array): bigint {
    const bytes = handleBytes(handle);
    return this.#made(
      "cuIpcOpenMemHandle",
      (into) => this.#symbols.cordon_cuda_ipc_import(this.#handle, context, bytes, into),
    );
  }

  freeHandle(context: bigint, address: bigint): void {
    this.#check("cuIpcCloseMemHandle", this.#symbols.cordon_cuda_ipc_free(this.#handle, context, address));
  }

  exportEvent(context: bigint, event: bigint): Uint8Array<ArrayBuffer> {
    const handle = new Uint8Array(HANDLE_BYTES);
    this.#check(
      "cuIpcGetEventHandle",
      this.#symbols.cordon_cuda_ipc_export_event(this.#handle, context, event, handle),
    );
    return handle;
  }

  importEvent(context: bigint, handle: Uint8Array): bigint {
    const bytes = handleBytes(handle);
    return this.#made(
      "cuIpcOpenEventHandle",
      (into) => this.#symbols.cordon_cuda_ipc_import_event(this.#handle, context, bytes, into),
    );
  }

  stream(context: bigint): bigint {
    return this.#made(
      "cuStreamCreate",
      (into) => this.#symbols.cordon_cuda_stream(this.#handle, context, into),
    );
  }

  freeStream(context: bigint, stream: bigint): void {
    this.#check("cuStreamDestroy", this.#symbols.cordon_cuda_stream_free(this.#handle, context, stream));
  }

  async streamDone(context: bigint, stream: bigint): Promise<void> {
    const result = await this.#symbols.cordon_cuda_stream_synchronize(this.#handle, context, stream);
    this.#check("cuStreamSynchronize", result);
  }

  streamWait(context: bigint, stream: bigint, event: bigint): void {
    this.#check(
      "cuStreamWaitEvent",
      this.#symbols.cordon_cuda_stream_wait(this.#handle, context, stream, event),
    );
  }

  event(context: bigint, isShared: boolean): bigint {
    return this.#made(
      "cuEventCreate",
      (into) => this.#symbols.cordon_cuda_event(this.#handle, context, isShared ? 1 : 0, into),
    );
  }

  freeEvent(context: bigint, event: bigint): void {
    this.#check("cuEventDestroy", this.#symbols.cordon_cuda_event_free(this.#handle, context, event));
  }

  recordEvent(context: bigint, event: bigint, stream: bigint): void {
    this.#check(
      "cuEventRecord",
      this.#symbols.cordon_cuda_event_record(this.#handle, context, event, stream),
    );
  }

  async eventDone(context: bigint, event: bigint): Promise<void> {
    this.#check(
      "cuEventSynchronize",
      await this.#symbols.cordon_cuda_event_synchronize(this.#handle, context, event),
    );
  }

  isEventDone(context: bigint, event: bigint): boolean {
    const result = this.#symbols.cordon_cuda_event_query(this.#handle, context, event);
    if (result === NOT_READY) return false;
    this.#check("cuEventQuery", result);
    return true;
  }

  elapsed(context: bigint, from: bigint, to: bigint): number {
    const milliseconds = new Float32Array(1);
    this.#check(
      "cuEventElapsedTime",
      this.#symbols.cordon_cuda_event_elapsed(this.#handle, context, from, to, milliseconds),
    );
    return milliseconds[0] ?? 0;
  }

  module(context: bigint, image: string | Uint8Array): bigint {
    const text = typeof image === "string" ? new TextEncoder().encode(image) : image;
    const bytes = new Uint8Array(text.byteLength + 1);
    bytes.set(text);
    const size = BigInt(bytes.byteLength);
    return this.#made(
      "cuModuleLoadData",
      (into) => this.#symbols.cordon_cuda_module(this.#handle, context, bytes, size, into),
    );
  }

  freeModule(context: bigint, module: bigint): void {
    this.#check("cuModuleUnload", this.#symbols.cordon_cuda_module_free(this.#handle, context, module));
  }

  kernel(context: bigint, module: bigint, name: string): bigint {
    const text = new TextEncoder().encode(`${name}\0`);
    return this.#made(
      "cuModuleGetFunction",
      (into) => this.#symbols.cordon_cuda_kernel(this.#handle, context, module, text, into),
    );
  }

  launch(
    context: bigint,
    kernel: bigint,
    shape: readonly [number, number, number, number, number, number, number],
    { values, offsets }: { readonly values: Uint8Array<ArrayBuffer>; readonly offsets: readonly number[] },
    stream: bigint,
  ): void {
    const result = this.#symbols.cordon_cuda_launch(
      this.#handle,
      context,
      kernel,
      new Uint32Array(shape),
      stream,
      values,
      values.byteLength,
      new Uint32Array(offsets),
      offsets.length,
    );
    this.#check("cuLaunchKernel", result);
  }

  /** The driver stays loaded; everything of it must be freed before. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#symbols.cordon_cuda_close(this.#handle);
    this.#isOpen = false;
  }

  #device(ordinal: number): CudaDeviceFacts {
    const facts = new BigUint64Array(5);
    const name = new Uint8Array(NAME_BYTES);
    const uuid = new Uint8Array(16);
    this.#check(
      "cuDeviceGetAttribute",
      this.#symbols.cordon_cuda_device(this.#handle, ordinal, facts, name, NAME_BYTES, uuid),
    );
    const [memoryBytes = 0, major = 0, minor = 0, virtual = 0, posix = 0] = Array.from(facts, Number);
    return {
      name: text(name),
      uuid: uuid.toHex(),
      memoryBytes,
      capability: [major, minor],
      sharesByDescriptor: virtual === 1 && posix === 1,
    };
  }

  #made(call: string, make: (into: BigUint64Array<ArrayBuffer>) => number): bigint {
    const into = new BigUint64Array(1);
    this.#check(call, make(into));
    return into[0] ?? 0n;
  }

  #shared(call: string, make: (into: BigUint64Array<ArrayBuffer>) => number): CudaSharedMemory {
    const memory = new BigUint64Array(3);
    this.#check(call, make(memory));
    const [address = 0n, bytes = 0n, allocation = 0n] = memory;
    return { address, bytes: Number(bytes), allocation };
  }

  #check(call: string, result: number): void {
    if (result === 0) return;
    const name = result < 0 ? errnoName(result) : this.#resultName(result);
    throw new CudaError(`Cannot complete "${call}" as the driver refused it: ${name}`, {
      call,
      result: name,
    });
  }

  #resultName(result: number): string {
    const into = new Uint8Array(NAME_BYTES);
    const length = this.#symbols.cordon_cuda_error_name(this.#handle, result, into, NAME_BYTES);
    return length > 0 ? text(into) : `CUDA_ERROR ${result}`;
  }
}
