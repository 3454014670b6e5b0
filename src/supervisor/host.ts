/**
 * The host: loads plugins and owns everything that they use.
 *
 * @module
 */

import { hostConfig, loadConfig } from "../config/mod.ts";
import type { HostOptions, LoadConfig, LoadOptions } from "../config/types.ts";
import { DisposedError } from "../errors.ts";
import type { PlatformReport } from "../platform/mod.ts";
import { resolveGrants } from "../policy/resolve_grants.ts";
import { sandboxPolicy } from "../policy/sandbox_policy.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { TypeCodec } from "../rpc/mod.ts";
import type { Dtype, Tensor, TensorOptions, TensorStats } from "../tensor/mod.ts";
import { openHostContext } from "./host_context.ts";
import type { HostContext } from "./host_context.ts";
import { SandboxedPlugin } from "./plugin.ts";
import { runScript } from "./run_script.ts";
import type { Host, Plugin, RunOptions, ScriptResult } from "./types.ts";

/**
 * Make a host: find out what this machine can confine and prepare what plugins share.
 *
 * @param options Services, defaults for plugins, paths. Every option has a default.
 * @returns The host. The caller disposes it, which stops every plugin.
 * @throws {ConfigError} If an option is unknown or not valid; the message names it and the nearest valid one.
 * @throws {SandboxUnavailableError} If no plugin could run on this machine at all.
 *
 * @example
 * ```ts ignore
 * import { createHost } from "@cordon/cordon";
 *
 * await using host = await createHost();
 * await using plugin = await host.load<typeof import("./examples/hello.ts")>("./examples/hello.ts");
 * console.log(await plugin.api.greet("you"));
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
  readonly #running = new Set<Promise<unknown>>();
  readonly #abort = new AbortController();
  #disposing: Promise<void> | null = null;

  /** @param context Owned by the host from now on. */
  constructor(context: HostContext, codecs: Map<string, TypeCodec<unknown>>) {
    this.#context = context;
    this.#codecs = codecs;
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

  tensor(shape: readonly number[], dtype?: Dtype, options?: TensorOptions): Tensor {
    return this.#context.tensors.tensor(shape, dtype, options);
  }

  tensorStats(): TensorStats {
    return this.#context.tensors.stats();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#disposing ??= this.#dispose();
  }

  async #load<T extends object>(entry: string | URL, options: LoadOptions): Promise<Plugin<T>> {
    const { signal, ...rest } = options;
    const config = loadConfig(entry, rest, this.#context.config);
    const policy = await this.#policy(config);
    const plugin = await SandboxedPlugin.load<T>({
      context: this.#context,
      config,
      policy,
      args: [],
      isScript: false,
      signal: this.#signal(signal),
    }, () => this.#plugins.delete(plugin as unknown as Plugin));
    this.#plugins.add(plugin as unknown as Plugin);
    return plugin;
  }

  async #run(entry: string | URL, options: RunOptions): Promise<ScriptResult> {
    const { signal, args = [], forwardSignals = [], ...rest } = options;
    const config = loadConfig(entry, rest, this.#context.config);
    const policy = await this.#policy(config);
    return await runScript({
      context: this.#context,
      config,
      policy,
      args,
      isScript: true,
      forwardSignals,
      signal: this.#signal(signal),
    });
  }

  async #policy(config: LoadConfig): Promise<SandboxPolicy> {
    const { config: host, platform } = this.#context;
    const account = platform.facts.uid === 0
      ? host.runAs
      : { uid: platform.facts.uid, gid: platform.facts.gid };
    const permissions = await resolveGrants(config.permissions, {
      runtimeDirectory: host.runtimeDirectory,
      cacheDirectory: host.cacheDirectory,
      account,
    });
    return sandboxPolicy({ ...config, permissions }, platform.facts, {
      runAs: host.runAs,
      workingDirectory: Deno.cwd(),
    });
  }

  #register(tag: string, codec: TypeCodec<unknown>): void {
    if (this.#codecs.has(tag)) {
      throw new TypeError(`Cannot register type "${tag}" as tags must be unique: it is registered already`);
    }
    this.#codecs.set(tag, codec);
  }

  #signal(signal: AbortSignal | undefined): AbortSignal {
    return signal === undefined ? this.#abort.signal : AbortSignal.any([signal, this.#abort.signal]);
  }

  #track<R>(work: () => Promise<R>): Promise<R> {
    if (this.#disposing !== null) return Promise.reject(disposed());
    const tracked: Promise<R> = work().finally(() => this.#running.delete(tracked));
    this.#running.add(tracked);
    return tracked;
  }

  async #dispose(): Promise<void> {
    this.#abort.abort(disposed());
    await Promise.allSettled(this.#running);
    await Promise.all(this.plugins.map((plugin) => plugin.stop()));
    await this.#context[Symbol.asyncDispose]();
  }
}

function disposed(): DisposedError {
  return new DisposedError("Cannot load a plugin: the host was disposed");
}
