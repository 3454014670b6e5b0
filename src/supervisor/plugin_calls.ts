/**
 * Sends calls to whichever process of a plugin answers now, and waits for one while it restarts.
 *
 * @module
 */

import type { LoadConfig, SupervisionConfig } from "../config/types.ts";
import { CallTimeoutError, PluginCrashedError } from "../errors.ts";
import { PLUGIN_TARGET, type RemoteSource } from "../proxy/mod.ts";
import type { CallOptions, ExportDescription } from "../rpc/mod.ts";
import type { HostHooks } from "./host_events.ts";
import type { Lifecycle } from "./lifecycle.ts";
import type { GenerationProcess } from "./plugin_process.ts";
import { watchedStream } from "./watched_stream.ts";

/** What calls need to know of their plugin. */
export interface CallSetup {
  readonly config: LoadConfig & SupervisionConfig;
  readonly lifecycle: Lifecycle<GenerationProcess>;
  /** Exports of the last process that was ready. */
  readonly exports: () => readonly ExportDescription[];
  readonly hooks: HostHooks;
}

/** The exports of a plugin over all its processes. A call belongs to one process and dies with it. */
export class PluginCalls implements RemoteSource {
  readonly #setup: CallSetup;
  readonly #idempotent: ReadonlySet<string>;

  /** @param setup Whom to call. */
  constructor(setup: CallSetup) {
    this.#setup = setup;
    this.#idempotent = new Set(setup.config.idempotent);
  }

  get exports(): readonly ExportDescription[] {
    return this.#setup.exports();
  }

  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown> {
    const process = this.#alive;
    const result = process === null
      ? this.#callWhenReady(method, args, options)
      : this.#callOn(process, method, args, options);
    const mayRepeat = process !== null && this.#idempotent.has(method);
    return mayRepeat ? this.#again(process, result, method, args, options) : result;
  }

  stream(method: string, args: readonly unknown[], options?: CallOptions): AsyncIterableIterator<unknown> {
    const process = this.#alive;
    return process === null
      ? this.#streamWhenReady(method, args, options)
      : this.#streamOf(process, method, args, options);
  }

  /** The process that answers now; `null` also for one whose connection is gone although its end is not known yet. */
  get #alive(): GenerationProcess | null {
    const { current } = this.#setup.lifecycle;
    return current === null || isGone(current) ? null : current;
  }

  /** Waits for a process whose connection has not ended. */
  async #ready(signal?: AbortSignal): Promise<GenerationProcess> {
    const { lifecycle } = this.#setup;
    for (;;) {
      const process = await lifecycle.ready(signal);
      if (!isGone(process)) return process;
      await process.exited;
    }
  }

  #callOn(
    process: GenerationProcess,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    const { config, hooks } = this.#setup;
    const isHeard = hooks.has("before-call") || hooks.has("after-call");
    if (isHeard) hooks.emit("before-call", { plugin: config.name, method, args });
    let result = process.session.call(PLUGIN_TARGET, method, args, options);
    const { wallMs } = config.limits;
    if (wallMs !== null) result = boundedByWall(process, result, wallMs);
    const mayBeGivenUp = options?.signal !== undefined || (options?.timeoutMs ?? config.timeoutMs) > 0;
    if (mayBeGivenUp) result = givenUp(process, result, options?.signal);
    return isHeard ? this.#told(method, result) : result;
  }

  async #told(method: string, result: Promise<unknown>): Promise<unknown> {
    const { config, hooks } = this.#setup;
    const startedAt = performance.now();
    let failure: unknown = null;
    try {
      return await result;
    } catch (error) {
      failure = error;
      throw error;
    } finally {
      const durationMs = performance.now() - startedAt;
      hooks.emit("after-call", { plugin: config.name, method, durationMs, error: failure });
    }
  }

  async #callWhenReady(
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): Promise<unknown> {
    const [process, rest] = await this.#readyInTime(method, options);
    return await this.#callOn(process, method, args, rest);
  }

  async *#streamWhenReady(
    method: string,
    args: readonly unknown[],
    options: CallOptions = {},
  ): AsyncGenerator<unknown, unknown, unknown> {
    const [process, rest] = await this.#readyInTime(method, options);
    return yield* this.#streamOf(process, method, args, rest);
  }

  /** The wait for a process is a part of the call: it counts against its deadline. Gives what is left of that. */
  async #readyInTime(method: string, options: CallOptions): Promise<[GenerationProcess, CallOptions]> {
    const { config } = this.#setup;
    const timeoutMs = options.timeoutMs ?? config.timeoutMs;
    if (timeoutMs === 0) return [await this.#ready(options.signal), options];
    const startedAt = performance.now();
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(timeoutError(config.name, method, timeoutMs)), timeoutMs);
    const signal = options.signal === undefined
      ? timeout.signal
      : AbortSignal.any([options.signal, timeout.signal]);
    try {
      const process = await this.#ready(signal);
      const restMs = Math.max(1, timeoutMs - (performance.now() - startedAt));
      return [process, { ...options, timeoutMs: restMs }];
    } finally {
      clearTimeout(timer);
    }
  }

  /** Each wait for an item is bounded as a call is; a stream that is given up is as suspicious as one. */
  #streamOf(
    process: GenerationProcess,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): AsyncIterableIterator<unknown, unknown> {
    const { config, hooks } = this.#setup;
    const { wallMs } = config.limits;
    let startedAt = 0;
    return watchedStream(process.session.stream(PLUGIN_TARGET, method, args, options), {
      onBegin: () => {
        startedAt = performance.now();
        hooks.emit("before-call", { plugin: config.name, method, args });
      },
      onWait: (item) => wallMs === null ? item : boundedByWall(process, item, wallMs),
      onEnd: (error, isDone) => {
        const durationMs = performance.now() - startedAt;
        hooks.emit("after-call", { plugin: config.name, method, durationMs, error });
        if (!isDone || isGivenUp(error, options?.signal)) process.suspect();
      },
    });
  }

  /** A call that may be run again is, once, on the process that follows the one that died under it. */
  async #again(
    process: GenerationProcess,
    first: Promise<unknown>,
    method: string,
    args: readonly unknown[],
    options?: CallOptions,
  ): Promise<unknown> {
    try {
      return await first;
    } catch (error) {
      // The same error may come from another plugin that this one uses: then this one is alive.
      const isOwnDeath = error instanceof PluginCrashedError && isGone(process);
      if (!isOwnDeath || !this.#setup.config.restart.isEnabled) throw error;
      return await this.#callWhenReady(method, args, options);
    }
  }
}

function isGone({ session }: GenerationProcess): boolean {
  return session.state === "closing" || session.state === "closed";
}

/**
 * A call that outlives the wall limit takes its process with it, whatever it is doing; unless it stands still because the
 * host has not answered its question yet: then the limit starts anew.
 */
async function boundedByWall<T>(
  process: GenerationProcess,
  result: Promise<T>,
  wallMs: number,
): Promise<T> {
  const onPassed = (): void => {
    if (process.isAsking) timer = setTimeout(onPassed, wallMs);
    else process.generation.sandbox.guest.kill("wall-timeout");
  };
  let timer = setTimeout(onPassed, wallMs);
  try {
    return await result;
  } finally {
    clearTimeout(timer);
  }
}

/** A call that was given up leaves its process under suspicion of being stuck. */
async function givenUp(
  process: GenerationProcess,
  result: Promise<unknown>,
  signal: AbortSignal | undefined,
): Promise<unknown> {
  try {
    return await result;
  } catch (error) {
    if (isGivenUp(error, signal)) process.suspect();
    throw error;
  }
}

function isGivenUp(error: unknown, signal: AbortSignal | undefined): boolean {
  return error instanceof CallTimeoutError || signal?.aborted === true;
}

function timeoutError(name: string, method: string, timeoutMs: number): CallTimeoutError {
  return new CallTimeoutError(
    `Cannot finish call "${method}" of plugin "${name}" within ${timeoutMs} ms: it was restarting`,
    { timeoutMs },
  );
}
