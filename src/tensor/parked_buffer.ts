/**
 * A large buffer that the collector does not count while nobody uses it.
 *
 * @module
 */

/** What is used of node:worker_threads. */
interface WorkerThreads {
  receiveMessageOnPort(port: MessagePort): { readonly message: ArrayBuffer } | undefined;
}

/** What is used of node:process. */
interface Process {
  getBuiltinModule(name: "node:worker_threads"): WorkerThreads;
}

/**
 * V8 counts a buffer over reserved address space as if all of it were allocated: beside 64 GiB it marks the heap again
 * for every few MiB that a plugin allocates. A buffer that is on its way through a message channel belongs to no heap.
 */
export class ParkedBuffer {
  #buffer: ArrayBuffer | null;
  #channel: MessageChannel | null = null;
  #isTaken = false;
  // Both now, since foreign code may change the globals; packages that imitate browsers or Node do.
  readonly #Channel = MessageChannel;
  readonly #collected = new FinalizationRegistry<undefined>(() => this.park());
  /** To get its value takes the runtime 10 ms: only when it is needed. */
  readonly #process = Object.getOwnPropertyDescriptor(globalThis, "process");

  /**
   * A buffer that is not parked yet.
   *
   * @param buffer Owned from now on: nobody else has a view of it.
   */
  constructor(buffer: ArrayBuffer) {
    this.#buffer = buffer;
  }

  /** Park it once the collector has run: it takes 4 ms, and before that nothing is gained by it. */
  parkSoon(): void {
    this.#collected.register({}, undefined);
  }

  /** Nobody needs it for now. Without effect once it was taken. */
  park(): void {
    if (this.#buffer === null || this.#isTaken) return;
    this.#channel = new this.#Channel();
    this.#channel.port1.postMessage(this.#buffer, [this.#buffer]);
    this.#buffer = null;
  }

  /**
   * The buffer, from now on for good: whoever has views of it must not lose them.
   *
   * @returns The same memory every time.
   */
  take(): ArrayBuffer {
    this.#isTaken = true;
    if (this.#buffer !== null) return this.#buffer;
    const { port1, port2 } = this.#channel!;
    const { receiveMessageOnPort } = this.#workerThreads();
    this.#buffer = receiveMessageOnPort(port2)!.message;
    port1.close();
    return this.#buffer;
  }

  #workerThreads(): WorkerThreads {
    const { get, value } = this.#process ?? {};
    const process = (get === undefined ? value : get.call(globalThis)) as Process;
    return process.getBuiltinModule("node:worker_threads");
  }
}
