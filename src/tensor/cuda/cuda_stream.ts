/**
 * Order of work on a device.
 *
 * @module
 */

import type { OnStream } from "./cuda_tensor.ts";
import type { DeviceContext } from "./device_memory.ts";

/** Work in order. */
export class CudaStream implements OnStream, Disposable {
  /** The driver's number. */
  readonly number: bigint;
  /** Number of its device. */
  readonly device: number;
  readonly #on: DeviceContext;
  #isOpen = true;

  /**
   * Made by `cuda.stream()`.
   *
   * @param on The device.
   */
  constructor(on: DeviceContext) {
    this.#on = on;
    this.device = on.device;
    this.number = on.calls.stream(on.context);
  }

  /** Resolves when the work that was started is done. */
  async synchronize(): Promise<void> {
    await this.#on.calls.streamDone(this.#on.context, this.number);
  }

  /**
   * A mark behind the work that was started.
   *
   * @returns The mark; the caller disposes it.
   */
  record(): CudaEvent {
    return new CudaEvent(this.#on, this.number);
  }

  /**
   * Let later work wait until that before a mark is done.
   *
   * @param event The mark, of any stream.
   */
  wait(event: CudaEvent): void {
    this.#on.calls.streamWait(this.#on.context, this.number, event.number);
  }

  /** Let go. Work that was started is still done. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#on.calls.freeStream(this.#on.context, this.number);
    this.#isOpen = false;
  }
}

/** A mark behind work on a stream. */
export class CudaEvent implements Disposable {
  /** The driver's number. */
  readonly number: bigint;
  readonly #on: DeviceContext;
  #isOpen = true;

  /**
   * Made by `CudaStream.record()`.
   *
   * @param on The device.
   * @param stream The stream.
   */
  constructor(on: DeviceContext, stream: bigint) {
    this.#on = on;
    this.number = on.calls.event(on.context, false);
    on.calls.recordEvent(on.context, this.number, stream);
  }

  /** The work before it is done. */
  get isDone(): boolean {
    return this.#on.calls.isEventDone(this.#on.context, this.number);
  }

  /** Resolves when the work before it is done. */
  async synchronize(): Promise<void> {
    await this.#on.calls.eventDone(this.#on.context, this.number);
  }

  /**
   * Milliseconds since another mark.
   *
   * @param earlier The other mark; both must be done.
   */
  since(earlier: CudaEvent): number {
    return this.#on.calls.elapsed(this.#on.context, earlier.number, this.number);
  }

  /** Let go. Idempotent. */
  [Symbol.dispose](): void {
    if (this.#isOpen) this.#on.calls.freeEvent(this.#on.context, this.number);
    this.#isOpen = false;
  }
}
