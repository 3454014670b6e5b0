/**
 * Workers of a pool that tests control by hand.
 *
 * @module
 */

import { poolConfig } from "../../src/config/pool.ts";
import type { PoolOptions } from "../../src/config/types.ts";
import { Pool } from "../../src/supervisor/pool.ts";
import type { PoolWorker } from "../../src/supervisor/pool_types.ts";
import { FakeClock, settle } from "../util/fake_clock.ts";

/** A worker without a process. */
export class FakeWorker implements PoolWorker<FakeWorker> {
  readonly api = this;
  readonly #death = Promise.withResolvers<unknown>();
  readonly died: Promise<unknown> = this.#death.promise;
  readonly kills: unknown[] = [];
  stops = 0;
  isGone = false;
  memory: number | null = null;

  constructor(readonly id: number, readonly code = 0) {}

  memoryBytes(): number | null {
    return this.memory;
  }

  stop(): Promise<void> {
    this.stops++;
    return Promise.resolve();
  }

  kill(reason: unknown): void {
    this.kills.push(reason);
    this.die(new Error(`worker ${this.id} was killed`));
  }

  /** Its process is gone. */
  die(error: unknown = new Error(`worker ${this.id} died`)): void {
    this.#death.resolve(error);
  }
}

/** Everything that a test of a pool looks at. */
export class PoolHarness implements AsyncDisposable {
  readonly clock = new FakeClock();
  /** Every worker that was ever started. */
  readonly workers: FakeWorker[] = [];
  readonly pool: Pool<FakeWorker>;
  /** How often the code was looked at. */
  codes = 0;
  /** Thrown by the next starts, in order. */
  readonly startErrors: unknown[] = [];

  constructor(options: PoolOptions = {}) {
    this.pool = new Pool<FakeWorker>({
      name: "test",
      config: poolConfig(options),
      clock: this.clock,
      random: () => 0,
      starter: () => {
        const code = this.codes++;
        return () => this.#start(code);
      },
    });
  }

  /** A pool whose workers are ready. */
  static async ready(options: PoolOptions = {}): Promise<PoolHarness> {
    const harness = new PoolHarness(options);
    await settle();
    return harness;
  }

  /** Closes the pool and complains about timers or workers that it left behind. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.pool.close();
    const running = this.workers.filter((worker) => worker.stops === 0).map((worker) => worker.id);
    if (running.length > 0) throw new Error(`Workers were left running: ${running}`);
    if (this.clock.pending > 0) throw new Error(`Timers were left behind: ${this.clock.pending}`);
  }

  #start(code: number): Promise<FakeWorker> {
    if (this.startErrors.length > 0) return Promise.reject(this.startErrors.shift());
    const worker = new FakeWorker(this.workers.length, code);
    this.workers.push(worker);
    return Promise.resolve(worker);
  }
}

/** Work that ends when the test says so. */
export function controlled(): {
  readonly work: (api: FakeWorker, signal: AbortSignal) => Promise<string>;
  readonly finish: (value: string) => void;
  readonly fail: (error: unknown) => void;
  readonly runs: { readonly worker: number; readonly signal: AbortSignal }[];
} {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  promise.catch(() => {});
  const runs: { worker: number; signal: AbortSignal }[] = [];
  return {
    work: (api, signal) => {
      runs.push({ worker: api.id, signal });
      return promise;
    },
    finish: resolve,
    fail: reject,
    runs,
  };
}
