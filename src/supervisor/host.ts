/**
 * The host: loads plugins and owns everything that they use.
 *
 * @module
 */

import {
  hostConfig,
  loadConfig,
  poolConfig,
  poolKeys,
  refuseUnheeded,
  runConfig,
  runKeys,
} from "../config/mod.ts";
import type { PluginManifest } from "../config/mod.ts";
import { takeOut } from "../config/parse.ts";
import { count } from "../config/quantity.ts";
import type { HostOptions, LoadOptions, PoolOptions } from "../config/types.ts";
import { ConfigError, DisposedError } from "../errors.ts";
import type { PlatformReport } from "../platform/mod.ts";
import { checkCustomType } from "../rpc/mod.ts";
import type { TypeCodec } from "../rpc/mod.ts";
import type { Cuda } from "../tensor/cuda/mod.ts";
import type { Dtype, Tensor, TensorOptions, TensorStats } from "../tensor/mod.ts";
import { checkApiVersion, checkDependencies, hostApi } from "./dependency_order.ts";
import { findManifest } from "./find_manifest.ts";
import { checkEventName, type HostEvents, type HostHooks } from "./host_events.ts";
import { HostSignals } from "./host_signals.ts";
import { openHostContext } from "./host_context.ts";
import type { HostContext } from "./host_context.ts";
import { loadDirectory, type LoadedDirectory } from "./load_directory.ts";
import { SandboxedPlugin } from "./plugin.ts";
import type { PluginRequest } from "./plugin.ts";
import { grantedPolicy, pluginPolicy } from "./plugin_policy.ts";
import { type PluginPool, pluginPool } from "./plugin_pool.ts";
import { prewarm } from "./prewarm.ts";
import { runScript } from "./run_script.ts";
import type { Host, Plugin, PrewarmOptions, RunOptions, ScriptResult } from "./types.ts";

/**
 * Make a host: find out what this machine can confine and prepare what plugins share.
 *
 * @param options Services, defaults for plugins, paths. Every option has a default.
 * @returns The host. The caller disposes it, which stops every plugin.
 * @throws {ConfigError} If an option is unknown or not valid; the message names it and the nearest valid one.
 * @throws {SandboxUnavailableError} If no plugin could run on this machine at all.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * const file = await Deno.makeTempFile({ suffix: ".ts" });
 * await Deno.writeTextFile(file, `
 *   import { service } from "@cordon/cordon/plugin";
 *   const words = service<{ hello(name: string): string }>("words");
 *   export const greet = async (name: string): Promise<string> => await words.hello(name);
 * `);
 * const words = { hello: (name: string) => `Hello, ${name}!` };
 *
 * await using host = await createHost({ services: { words } });
 * await using plugin = await host.load<{ greet(name: string): string }>(file, { services: ["words"] });
 * console.log(await plugin.api.greet("you")); // "Hello, you!", from the host by way of a sandbox
 * await Deno.remove(file);
 * ```
 */
export async function createHost(options: HostOptions = {}): Promise<Host> {
  const codecs = new Map<string, TypeCodec<unknown>>();
  return new CordonHost(await openHostContext(hostConfig(options), codecs), codecs);
}

class CordonHost implements Host {
  readonly #context: HostContext;
  readonly #codecs: Map<string, TypeCodec<unknown>>;
  readonly #plugins = new Set<Plugin>();
  readonly #pools = new Set<AsyncDisposable>();
  readonly #hooks: HostHooks;
  readonly #running = new Set<Promise<unknown>>();
  readonly #abort = new AbortController();
  readonly #signals: HostSignals | null;
  #disposing: Promise<void> | null = null;

  /** @param context Owned by the host from now on. */
  constructor(context: HostContext, codecs: Map<string, TypeCodec<unknown>>) {
    this.#context = context;
    this.#hooks = context.hooks;
    this.#codecs = codecs;
    this.#signals = context.config.handleSignals ? new HostSignals(() => this[Symbol.asyncDispose]()) : null;
  }

  get plugins(): readonly Plugin[] {
    return [...this.#plugins];
  }

  get platform(): PlatformReport {
    return this.#context.platform;
  }

  get types(): Host["types"] {
    return { register: (tag, codec) => this.#register(tag, codec as TypeCodec<unknown>) };
  }

  load<T extends object>(entry: string | URL, options: LoadOptions = {}): Promise<Plugin<T>> {
    return this.#track(() => this.#load<T>(entry, options));
  }

  run(entry: string | URL, options: RunOptions = {}): Promise<ScriptResult> {
    return this.#track(() => this.#run(entry, options));
  }

  pool<T extends object>(
    entry: string | URL,
    options: PoolOptions & Omit<LoadOptions, "restart" | "watch"> = {},
  ): Promise<PluginPool<T>> {
    return this.#track(() => this.#pool<T>(entry, options));
  }

  prewarm(entry: string | URL, options: PrewarmOptions = {}): Promise<AsyncDisposable> {
    return this.#track(async () => {
      const { taken, rest } = takeOut(options, ["count"]);
      const wanted = numberOfSandboxes(taken.count ?? 1, "count");
      const { request } = await this.#request(entry, rest, { beside: ["count"] });
      return await prewarm(request, wanted);
    });
  }

  loadDirectory(
    directory: string,
    options: LoadOptions | ((manifest: PluginManifest) => LoadOptions) = {},
  ): Promise<LoadedDirectory> {
    const choose = typeof options === "function" ? options : () => options;
    const one = (manifest: PluginManifest): Promise<Plugin> =>
      this.#load(manifest.entry, { name: manifest.name, ...choose(manifest) }, manifest);
    return this.#track(() => loadDirectory(directory, one));
  }

  on<K extends keyof HostEvents>(name: K, listener: (event: HostEvents[K]) => unknown): Disposable {
    checkEventName(name);
    return this.#hooks.on(name, listener);
  }

  tensor<D extends Dtype = "float32">(
    shape: readonly number[],
    dtype?: D,
    options?: TensorOptions,
  ): Tensor<D> {
    if (this.#disposing !== null) throw disposed("make a tensor");
    return this.#context.tensors.tensor(shape, dtype, options) as Tensor<D>;
  }

  async cuda(): Promise<Cuda> {
    if (this.#disposing !== null) throw disposed("use a GPU");
    return (await this.#context.cuda.open()).cuda;
  }

  tensorStats(): TensorStats {
    return this.#context.tensors.stats();
  }

  flushTensors(): number {
    return this.#context.tensors.flush();
  }

  purgeOrphanTensors(): number {
    return this.#context.tensors.purgeOrphans();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposing ??= this.#dispose();
  }

  async #load<T extends object>(
    entry: string | URL,
    options: LoadOptions,
    known?: PluginManifest,
  ): Promise<Plugin<T>> {
    const { request, manifest } = await this.#request(entry, options, { known });
    const { name } = request.config;
    this.#hooks.emit("before-load", { plugin: name, entry: request.config.entry });
    const plugin = await SandboxedPlugin.load<T>(request, () => {
      this.#plugins.delete(plugin as unknown as Plugin);
      this.#hooks.emit("unloaded", { plugin: name });
    });
    this.#plugins.add(plugin as unknown as Plugin);
    await checkExports(plugin, manifest);
    this.#hooks.emit("loaded", { plugin: name });
    return plugin;
  }

  async #pool<T extends object>(
    entry: string | URL,
    options: PoolOptions & LoadOptions,
  ): Promise<PluginPool<T>> {
    const { taken, rest } = takeOut(options, poolKeys);
    const config = poolConfig(taken);
    const { request } = await this.#request(entry, rest, { beside: poolKeys });
    refuseUnheeded(request.config, ["watch"], "a pool");
    const pool = pluginPool<T>(request, config);
    this.#pools.add(pool);
    return pool;
  }

  /** Everything that a start needs; refused here is refused before anything is started. */
  async #request(
    entry: string | URL,
    options: LoadOptions,
    { known, beside }: { readonly known?: PluginManifest | undefined; readonly beside?: readonly string[] },
  ): Promise<{ readonly request: PluginRequest; readonly manifest: PluginManifest | null }> {
    const allowed = loadConfig(entry, options, this.#context.config, undefined, beside);
    const manifest = known ?? findManifest(allowed.entry);
    if (manifest !== null) this.#checkPlace(manifest);
    const request: PluginRequest = {
      context: this.#context,
      ...await grantedPolicy(this.#context, allowed, manifest, options.name),
      args: [],
      isScript: false,
      signal: this.#signal(options.signal),
      hooks: this.#hooks,
      manifest,
    };
    return { request, manifest };
  }

  /** Whether a plugin fits this host, and what it needs is there. */
  #checkPlace(manifest: PluginManifest): void {
    checkApiVersion(manifest, hostApi);
    checkDependencies(manifest, this.plugins.flatMap((plugin) => plugin.manifest ?? []));
  }

  async #run(entry: string | URL, options: RunOptions): Promise<ScriptResult> {
    const { run, load } = runConfig(options);
    const config = loadConfig(entry, load, this.#context.config, undefined, runKeys);
    using _signals = this.#signals?.without(run.forwardSignals);
    refuseUnheeded(config, ["restart", "watch"], "a script");
    return await runScript({
      context: this.#context,
      config,
      policy: await pluginPolicy(this.#context, config),
      ...run,
      isScript: true,
      signal: this.#signal(options.signal),
    });
  }

  #register(tag: string, codec: TypeCodec<unknown>): void {
    checkCustomType(tag, codec);
    if (this.#codecs.has(tag)) {
      throw new TypeError(`Cannot register type "${tag}" as tags must be unique: it is registered already`);
    }
    this.#codecs.set(tag, codec);
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  #track<R>(work: () => Promise<R>): Promise<R> {
    if (this.#disposing !== null) return Promise.reject(disposed("load a plugin"));
    const tracked: Promise<R> = work().finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }

  async #dispose(): Promise<void> {
    this.#abort.abort(disposed("load a plugin"));
    await Promise.allSettled(this.#running);
    await using rest = new AsyncDisposableStack();
    if (this.#signals !== null) rest.use(this.#signals);
    rest.use(this.#context);
    const ends = [...this.plugins, ...this.#pools].map((one) => one[Symbol.asyncDispose]());
    await Promise.allSettled(ends);
    await Promise.all(ends);
  }
}

const numberOfSandboxes = count("a number of sandboxes", { min: 1, max: 1_000 });

/** A plugin that does not export what its manifest promises is stopped again. */
async function checkExports<T extends object>(
  plugin: Plugin<T>,
  manifest: PluginManifest | null,
): Promise<void> {
  const missing = manifest?.exports?.filter((name) => !(name in plugin.api)) ?? [];
  if (manifest === null || missing.length === 0) return;
  await plugin.stop();
  throw new ConfigError(
    `Cannot use plugin "${plugin.name}" as "${manifest.file}" promises: it does not export "${
      missing.join('", "')
    }"`,
    { path: "exports" },
  );
}

function disposed(what: string): DisposedError {
  return new DisposedError(`Cannot ${what}: the host was disposed`);
}
