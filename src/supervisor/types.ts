/**
 * What callers of Cordon hold in their hands.
 *
 * @module
 */

import type { PluginManifest } from "../config/mod.ts";
import type { LoadOptions, PoolOptions } from "../config/types.ts";
import type { PlatformReport } from "../platform/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { Remote } from "../proxy/mod.ts";
import type { CallOptions, RpcInspection, RpcStats, TypeCodec } from "../rpc/mod.ts";
import type { Cuda } from "../tensor/cuda/mod.ts";
import type { Dtype, Tensor, TensorOptions, TensorStats } from "../tensor/mod.ts";
import type { LearnedGrant } from "../util/permission.ts";
import type { HostEvents } from "./host_events.ts";
import type { ReloadEvent } from "./hot_reload.ts";
import type { LoadedDirectory } from "./load_directory.ts";
import type { PluginPool } from "./plugin_pool.ts";
import type { ExitFacts, PluginStatus } from "./status.ts";

/**
 * A plugin that was loaded. Disposing stops it.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * const file = await Deno.makeTempFile({ suffix: ".ts" });
 * await Deno.writeTextFile(file, "export const add = (a: number, b: number): number => a + b;");
 * await using host = await createHost();
 * await using plugin = await host.load<{ add(a: number, b: number): number }>(file);
 * console.log(await plugin.api.add(1, 2)); // 3
 * console.log(await plugin.with({ timeoutMs: 5_000 }).add(1, 2), plugin.status.state); // 3 "running"
 * await Deno.remove(file);
 * ```
 */
export interface Plugin<T extends object = Record<string, (...args: unknown[]) => unknown>>
  extends AsyncDisposable {
  /** Name in messages. */
  readonly name: string;
  /** The plugin's exports; every function is asynchronous here. */
  readonly api: Remote<T>;
  /**
   * The same exports with options for each call made through them.
   *
   * @param options `signal`, `timeoutMs`, `onProgress`, `wantsReply`.
   * @returns An object like `api`, whose calls all have these options.
   * @throws {ConfigError} If an option is unknown or not valid.
   */
  with(options: CallOptions): Remote<T>;
  /** What the plugin is doing now. */
  readonly status: PluginStatus;
  /**
   * Every state from the current one on.
   *
   * @param signal Ends the iteration.
   */
  statusChanges(signal?: AbortSignal): AsyncIterable<PluginStatus>;
  /** What it says about itself; `null` without a manifest. */
  readonly manifest: PluginManifest | null;
  /** What confines it: the one policy that every layer was compiled from. */
  readonly policy: SandboxPolicy;
  /**
   * Listen to events that the plugin emits. Stays registered over restarts.
   *
   * @typeParam P What the payload is taken to be. It is the plugin's word: check it where that matters.
   * @param name Name of the event.
   * @param handler Called with the payload, in order. What it throws is told to `listener-error`.
   * @returns Disposing it removes the handler.
   */
  on<P = unknown>(name: string, handler: (payload: P) => unknown): Disposable;
  /**
   * Listen to what happens to reloads of this plugin, by hand or by `watch`: begun, done, failed, paused.
   *
   * @param listener Called with each event; nobody waits for it.
   * @returns Disposing it removes the listener.
   */
  onReload(listener: (event: ReloadEvent) => unknown): Disposable;
  /** Counts of the connection: calls, bytes, handles, streams. */
  stats(): RpcStats;
  /** Pending calls with their age, exposed targets, counts: for debugging. */
  inspect(): RpcInspection;
  /** The smallest grant that covers what the current process asked for; `null` unless `learn` is set. */
  learned(): LearnedGrant | null;
  /** Output of the plugin that was kept: the last 8 KiB of its stderr. */
  stderrTail(): string;
  /**
   * End the plugin's process and start another one; it gets a new chance after a quarantine, too. Calls in flight end
   * first, within `shutdownGraceMs`; calls made meanwhile wait. Several calls of this at once are one restart.
   *
   * @throws {LaunchError} If the new process could not be started.
   * @throws {DisposedError} If the plugin was stopped.
   */
  restart(): Promise<void>;
  /**
   * Bundle the plugin anew, start it beside the old process and switch to it when it is ready. State is handed over where
   * the old version exports `saveState()` and the new one `restoreState(state)`; calls in flight finish on the old one.
   *
   * @throws {BundleError | LaunchError} If the new version does not come up; the old one goes on untouched.
   * @throws {DisposedError} If the plugin was stopped.
   */
  reload(): Promise<void>;
  /**
   * Ask the plugin to stop; kill it after the grace period. Idempotent. Nothing of it goes on when this settles; it rejects
   * only with what could not be done after that, such as writing a report.
   */
  stop(): Promise<void>;
}

/** A finished script. */
export interface ScriptResult extends ExitFacts {
  /** What the shell would see: the exit code, or 128 + the signal's number. */
  readonly code: number;
}

/** Options of `host.run()`. */
export interface RunOptions extends LoadOptions {
  /** `Deno.args` of the script. @default [] */
  readonly args?: readonly string[];
  /**
   * Signals of this process that are handed on to a script that listens to them; any other script they end. While the
   * script runs they do not end this process. @default []
   */
  readonly forwardSignals?: readonly Deno.Signal[];
}

/** Options of `host.prewarm()`: those of the load to come, and how many sandboxes. */
export interface PrewarmOptions extends LoadOptions {
  /** How many sandboxes to start. @default 1 */
  readonly count?: number;
}

/**
 * Loads plugins and owns everything that they use. Disposing stops them all. `createHost()` makes it, and shows how it is
 * used.
 */
export interface Host extends AsyncDisposable {
  /** Plugins that were loaded and not stopped. */
  readonly plugins: readonly Plugin[];
  /** What this machine can confine. */
  readonly platform: PlatformReport;
  /** Custom types that may cross to plugins; the plugin registers the same tags by `registerType()`. */
  readonly types: {
    /**
     * Add a type, for plugins that are loaded afterwards.
     *
     * @param tag Name on the wire, the same on both sides.
     * @param codec How its values cross; both sides can import the same one.
     * @throws {TypeError} If the tag is taken, empty or one of Cordon's own, or the codec lacks a function.
     */
    register<T>(tag: string, codec: TypeCodec<T>): void;
  };
  /**
   * Start a plugin in a sandbox of its own.
   *
   * @param entry Its entry module: a path (relative to the current directory), a `file:` URL, or a remote specifier.
   * @param options What it may do and use.
   * @returns The plugin, ready for calls. The caller disposes it, or the host does.
   * @throws {ConfigError} If an option is not valid.
   * @throws {PermissionDeniedError} If a grant would open the host.
   * @throws {BundleError} If the code cannot be found or bundled.
   * @throws {SandboxUnavailableError} If the machine cannot confine it as demanded. Nothing of the plugin ran.
   * @throws {LaunchError} If the sandbox did not come up, or the plugin failed while it was imported.
   * @throws {DisposedError} If the host was disposed.
   */
  load<T extends object = Record<string, (...args: unknown[]) => unknown>>(
    entry: string | URL,
    options?: LoadOptions,
  ): Promise<Plugin<T>>;
  /**
   * Start sandboxes for a plugin before it is loaded, so that its first load only has to hand over the code. A sandbox
   * fits a load of the same entry with the same options, is used once, and runs nothing of the plugin until then.
   *
   * @param entry As for `load()`.
   * @param options Those of the load to come, and `count`.
   * @returns When they wait. Disposing it ends those that were not used; so does disposing the host.
   * @throws As `load()`, but for what its import would throw.
   */
  prewarm(entry: string | URL, options?: PrewarmOptions): Promise<AsyncDisposable>;
  /**
   * Run a script in a sandbox until it ends, with this process' stdin, stdout and stderr, or with empty stdin where
   * `output` is anything but `"inherit"`.
   *
   * @param entry The script.
   * @param options As for `load()`, and `args`.
   * @returns How it ended.
   * @throws As `load()`, also for `restart` and `watch`, which nothing would heed; a script that throws is a `LaunchError`
   * with stage `"import"`.
   */
  run(entry: string | URL, options?: RunOptions): Promise<ScriptResult>;
  /**
   * Start several processes of one plugin and run tasks on them.
   *
   * @param entry As for `load()`.
   * @param options Those of the pool, and those of `load()` for each worker.
   * @returns The pool, its workers starting. The caller closes it, or the host does.
   * @throws {ConfigError} If an option is not valid, or `watch` is among them: `PluginPool.reload()` takes new code.
   * @throws {PermissionDeniedError} If a grant would open the host.
   */
  pool<T extends object = Record<string, (...args: unknown[]) => unknown>>(
    entry: string | URL,
    options?: PoolOptions & Omit<LoadOptions, "restart" | "watch">,
  ): Promise<PluginPool<T>>;
  /**
   * Load every plugin of a directory that has a manifest, dependencies first.
   *
   * @param directory Path; each directory in it with a `cordon.json`, or a `cordon` key in its deno.json, is a plugin.
   * @param options What each may do and use, or a function of its manifest.
   * @returns What was loaded, and what was not with its error.
   * @throws {ConfigError} If it is no directory, or names or dependencies contradict each other: then nothing was loaded.
   */
  loadDirectory(
    directory: string,
    options?: LoadOptions | ((manifest: PluginManifest) => LoadOptions),
  ): Promise<LoadedDirectory>;
  /**
   * Listen to what happens to plugins and their calls. A listener that throws breaks nothing.
   *
   * @param name Name of the event.
   * @param listener Called with each event; nobody waits for it.
   * @returns Disposing it removes the listener.
   * @throws {TypeError} If there is no such event.
   */
  on<K extends keyof HostEvents>(name: K, listener: (event: HostEvents[K]) => unknown): Disposable;
  /**
   * Make a tensor in shared memory, so that filling it is the only write ever made.
   *
   * @param shape Sizes of the dimensions, in elements.
   * @param dtype Element type. @default "float32"
   * @param options Placement.
   * @returns The tensor; the caller disposes it.
   * @throws {TypeError | RangeError} If there is no such dtype, or the shape has sizes that are no integers of 0 or more.
   * @throws {MemoryPressureError} If that much shared memory is not to be had.
   * @throws {DisposedError} If the host was disposed.
   */
  tensor<D extends Dtype = "float32">(
    shape: readonly number[],
    dtype?: D,
    options?: TensorOptions,
  ): Tensor<D>;
  /**
   * The GPUs of this machine, opened by the first call. Load plugins with `gpu: true` to pass tensors on devices to them.
   *
   * @returns Tensors on devices, streams and programs.
   * @throws {CudaError} If there is no driver and `cuda.fallback` is `"error"`.
   * @throws {DisposedError} If the host was disposed.
   */
  cuda(): Promise<Cuda>;
  /** Use of shared memory. */
  tensorStats(): TensorStats;
  /**
   * Take back what was lent to plugins that never picked it up, without waiting for it to expire.
   *
   * @returns How many leases ended.
   */
  flushTensors(): number;
  /**
   * Free the memory of plugins that are gone, as far as something still holds it.
   *
   * @returns How many regions were freed.
   */
  purgeOrphanTensors(): number;
}
