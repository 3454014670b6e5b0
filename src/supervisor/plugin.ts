/**
 * A loaded plugin: its calls, its state and its end.
 *
 * @module
 */

import type { PluginManifest } from "../config/mod.ts";
import { callOptions } from "../config/mod.ts";
import type { LoadConfig, OversightConfig, SupervisionConfig } from "../config/types.ts";
import type { ExitReason, PluginCrashedError } from "../errors.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { remoteModule } from "../proxy/mod.ts";
import type { Remote } from "../proxy/mod.ts";
import type { CallOptions, RpcInspection, RpcStats } from "../rpc/mod.ts";
import { systemClock } from "../util/clock.ts";
import type { LearnedGrant } from "../util/permission.ts";
import { crashError } from "./crash_error.ts";
import { handOverState } from "./hand_over_state.ts";
import type { HostHooks } from "./host_events.ts";
import { HotReload, type ReloadEvent } from "./hot_reload.ts";
import { Lifecycle } from "./lifecycle.ts";
import { loadGeneration } from "./load_generation.ts";
import type { GenerationRequest } from "./load_generation.ts";
import { PluginCalls } from "./plugin_calls.ts";
import { GenerationProcess } from "./plugin_process.ts";
import type { PluginStatus } from "./status.ts";
import type { Plugin } from "./types.ts";
import { watchFiles } from "./watch_files.ts";

/** What a plugin is made from. */
export interface PluginRequest extends GenerationRequest {
  readonly config: LoadConfig & OversightConfig & SupervisionConfig;
  readonly hooks: HostHooks;
  /** What the plugin says about itself. */
  readonly manifest: PluginManifest | null;
}

/** The one implementation of `Plugin`. */
export class SandboxedPlugin<T extends object> implements Plugin<T> {
  readonly name: string;
  readonly api: Remote<T>;
  readonly policy: SandboxPolicy;
  readonly manifest: PluginManifest | null;
  readonly #request: PluginRequest;
  readonly #calls: PluginCalls;
  readonly #lifecycle: Lifecycle<GenerationProcess>;
  readonly #handlers = new Set<EventHandler>();
  readonly #onStopped: () => void;
  /** The last process that was ready; it may be gone. */
  #latest: GenerationProcess;
  readonly #hotReload: HotReload | null;
  #stopping: Promise<void> | null = null;

  /**
   * Bundle, start, load.
   *
   * @param request What to load.
   * @param onStopped Called once, when nothing of the plugin is left.
   * @returns A running plugin.
   * @throws As `Host.load()`.
   */
  static async load<T extends object>(
    request: PluginRequest,
    onStopped: () => void,
  ): Promise<SandboxedPlugin<T>> {
    return new SandboxedPlugin<T>(await startProcess(request, request.signal), request, onStopped);
  }

  /** @param first Owned by the plugin from now on. */
  private constructor(first: GenerationProcess, request: PluginRequest, onStopped: () => void) {
    const { config } = request;
    this.name = config.name;
    this.policy = request.policy;
    this.manifest = request.manifest;
    this.#request = request;
    this.#latest = first;
    this.#onStopped = onStopped;
    this.#lifecycle = new Lifecycle<GenerationProcess>({
      name: config.name,
      restart: config.restart,
      clock: systemClock(),
      random: Math.random,
      start: (_generation, signal) => startProcess(request, signal),
      onProcess: (process) => this.#attach(process),
    }, first);
    this.#calls = new PluginCalls({
      config,
      lifecycle: this.#lifecycle,
      exports: () => this.#latest.generation.exports,
      hooks: request.hooks,
    });
    this.api = remoteModule<T>(this.#calls);
    this.#lifecycle.onChange((status) => request.hooks.emit("status", { plugin: config.name, status }));
    this.#hotReload = config.watch.isEnabled ? this.#watch() : null;
  }

  /** The same exports; `onCall` is told the name of each that is called. */
  noting(onCall: (method: string) => void): Remote<T> {
    const calls = this.#calls;
    return remoteModule<T>({
      get exports() {
        return calls.exports;
      },
      call: (method, args, options) => {
        onCall(method);
        return calls.call(method, args, options);
      },
      stream: (method, args, options) => {
        onCall(method);
        return calls.stream(method, args, options);
      },
    });
  }

  with(options: CallOptions): Remote<T> {
    return remoteModule<T>(this.#calls, callOptions(options));
  }

  get status(): PluginStatus {
    return this.#lifecycle.status;
  }

  statusChanges(signal?: AbortSignal): AsyncIterable<PluginStatus> {
    return this.#lifecycle.changes(signal);
  }

  on<P = unknown>(name: string, handler: (payload: P) => unknown): Disposable {
    const listener = handler as (payload: unknown) => unknown;
    const registration = this.#latest.session.on(name, listener);
    const entry: EventHandler = { name, handler: listener, registration };
    this.#handlers.add(entry);
    return {
      [Symbol.dispose]: () => {
        this.#handlers.delete(entry);
        entry.registration[Symbol.dispose]();
      },
    };
  }

  onReload(listener: (event: ReloadEvent) => unknown): Disposable {
    const { hooks } = this.#request;
    return hooks.on("reload", ({ source, event }) => source === this ? listener(event) : undefined);
  }

  stats(): RpcStats {
    return this.#latest.session.stats();
  }

  inspect(): RpcInspection {
    return this.#latest.session.inspect();
  }

  stderrTail(): string {
    return this.#latest.generation.sandbox.guest.stderrTail();
  }

  learned(): LearnedGrant | null {
    return this.#request.config.learn === false ? null : this.#latest.generation.sandbox.learned();
  }

  restart(): Promise<void> {
    return this.#lifecycle.restart();
  }

  async reload(): Promise<void> {
    this.#tell({ kind: "reloading", changes: [] });
    try {
      await this.#reload();
    } catch (error) {
      this.#tell({ kind: "failed", error });
      throw error;
    }
    this.#tell({ kind: "reloaded" });
  }

  #reload(): Promise<void> {
    return this.#lifecycle.replace(
      (_generation, signal) => startProcess(this.#request, signal),
      handOverState,
    );
  }

  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  /** Settles when the current process has ended, with the error that calls in flight got. Never rejects. */
  get died(): Promise<PluginCrashedError> {
    return this.#latest.exited.then((exit) => crashError(this.name, exit));
  }

  /** Whether the end of the current process has begun: `died` will settle. */
  get isGone(): boolean {
    const { state } = this.#latest.session;
    return state === "closing" || state === "closed";
  }

  /** Ends the current process at once, whatever it is doing. */
  kill(reason: ExitReason): void {
    this.#latest.generation.sandbox.guest.kill(reason);
  }

  /** Pid of the plugin itself as the host sees it, if it could be found out. */
  guestPid(): Promise<number | null> {
    return this.#latest.generation.sandbox.guest.guestPid;
  }

  async #stop(): Promise<void> {
    this.#hotReload?.[Symbol.dispose]();
    try {
      await this.#lifecycle.stop();
    } finally {
      this.#onStopped();
    }
  }

  #watch(): HotReload {
    const { config } = this.#request;
    return new HotReload({
      config: config.watch,
      clock: systemClock(),
      watch: watchFiles,
      files: () => this.#latest.generation.bundle.inputs,
      reload: () => this.#reload(),
      report: (event) => this.#tell(event),
    });
  }

  #tell(event: ReloadEvent): void {
    this.#request.hooks.emit("reload", { plugin: this.name, source: this, event });
  }

  /** Whoever listens to the plugin listens to each of its processes. */
  #attach(process: GenerationProcess): void {
    this.#latest = process;
    for (const entry of this.#handlers) entry.registration = process.session.on(entry.name, entry.handler);
  }
}

interface EventHandler {
  readonly name: string;
  readonly handler: (payload: unknown) => unknown;
  registration: Disposable;
}

async function startProcess(
  request: PluginRequest,
  signal: AbortSignal | undefined,
): Promise<GenerationProcess> {
  const { config } = request;
  const { signal: _ofFirstLoad, ...rest } = request;
  const generation = await loadGeneration({ ...rest, ...(signal === undefined ? {} : { signal }) });
  return new GenerationProcess(generation, {
    name: config.name,
    clock: systemClock(),
    shutdownGraceMs: config.shutdownGraceMs,
    heartbeatMs: config.heartbeatMs,
  });
}
