/**
 * What all plugins of a host share: facts, directories, the native library, tensors, custom types.
 *
 * @module
 */

import type { HostConfig } from "../config/types.ts";
import { ConfigError, CordonError } from "../errors.ts";
import { openHostDirectory } from "../launcher/host_directory.ts";
import { CompiledFilters } from "../launcher/seccomp/mod.ts";
import type { HostDirectory, Runtime } from "../launcher/types.ts";
import { nativeLibraryPath, openNative } from "../native/mod.ts";
import type { Native } from "../native/mod.ts";
import { probePlatform } from "../platform/mod.ts";
import type { PlatformReport } from "../platform/mod.ts";
import { loadAmbientStore, TypeRegistry } from "../rpc/mod.ts";
import type { AmbientStore, TypeCodec } from "../rpc/mod.ts";
import { systemClock } from "../util/clock.ts";
import { createHostTensors } from "../tensor/mod.ts";
import type { HostTensors } from "../tensor/mod.ts";
import { ContextCuda } from "./context_cuda.ts";
import { guestScript } from "./embedded/guest.ts";
import { feedSinks } from "./feed_sinks.ts";
import { type HostHooks, hostHooks } from "./host_events.ts";
import { pluginRuntime } from "./plugin_runtime.ts";
import type { SpareSandbox } from "./spare_sandbox.ts";
import { WarmSandboxes } from "./warm_sandboxes.ts";

/** Shared by every plugin of one host. */
export interface HostContext extends AsyncDisposable {
  readonly config: HostConfig;
  readonly platform: PlatformReport;
  readonly runtime: Runtime;
  readonly directory: HostDirectory;
  readonly native: Native | null;
  readonly libraryPath: string | null;
  readonly tensors: HostTensors;
  /** GPUs, opened when they are first needed. */
  readonly cuda: ContextCuda;
  readonly ambient: AmbientStore;
  /** Custom types of the user, for registries of sessions to come. */
  readonly codecs: ReadonlyMap<string, TypeCodec<unknown>>;
  /** Listeners to what happens. */
  readonly hooks: HostHooks;
  /** System call filters, compiled once each. */
  readonly filters: CompiledFilters;
  /** Sandboxes that were started in advance. */
  readonly warm: WarmSandboxes<SpareSandbox>;
}

/**
 * Find out what the machine can do and open what plugins share.
 *
 * @param config The host's configuration.
 * @param codecs Custom types; the caller adds to them later.
 * @returns The context; the caller disposes it after the last plugin.
 * @throws {SandboxUnavailableError} If plugins cannot run at all, or not as `config.sandbox` demands.
 * @throws {ConfigError} If the cache directory or the runtime directory cannot be used.
 */
export async function openHostContext(
  config: HostConfig,
  codecs: ReadonlyMap<string, TypeCodec<unknown>>,
): Promise<HostContext> {
  const [platform, ambient, libraryPath] = await allEnded([
    probePlatform({ bwrap: config.bwrap, deno: config.deno, runAs: config.runAs }),
    loadAmbientStore(),
    // Also where this process may not load it: guests confine themselves with it.
    cachedLibrary(config.cacheDirectory),
  ]);
  const runtime = pluginRuntime(platform);
  const native = libraryPath !== null && await isFfiGranted() ? openNative(libraryPath) : null;
  native?.closeOnExec(3);
  using cleanup = new DisposableStack();
  if (native !== null) cleanup.use(native);
  const directory = await openHostDirectory({
    runtimeDirectory: config.runtimeDirectory,
    runAs: platform.facts.uid === 0 ? config.runAs : null,
    guestScript,
    nativeLibrary: libraryPath,
    deno: runtime.deno,
  });
  cleanup.move();
  const onNotice = (text: string): void =>
    void Deno.stderr.writeSync(new TextEncoder().encode(`cordon: ${text}\n`));
  const whyCopied = reasonToCopy(platform, native);
  const tensors = createHostTensors({
    onNotice,
    ...whyCopied === null ? { native } : { native: null, whyCopied },
  });
  const cuda = new ContextCuda({
    config: config.cuda,
    platform,
    libraryPath: native === null ? null : libraryPath,
    tensors,
    onNotice,
  });
  const hooks = hostHooks();
  feedSinks(hooks, config.sinks);
  const warm = new WarmSandboxes<SpareSandbox>(config.warm, systemClock());
  return {
    config,
    platform,
    runtime,
    directory,
    native,
    libraryPath,
    tensors,
    cuda,
    ambient,
    codecs,
    hooks,
    filters: new CompiledFilters(),
    warm,
    async [Symbol.asyncDispose]() {
      await using all = new AsyncDisposableStack();
      if (native !== null) all.use(native);
      all.use(directory);
      all.use(cuda);
      all.use(tensors);
      all.use(warm);
    },
  };
}

/**
 * A registry for one session with the user's custom types.
 *
 * @param context The host's context.
 * @returns A new registry.
 */
export function sessionTypes(context: HostContext): TypeRegistry {
  const types = new TypeRegistry();
  for (const [tag, codec] of context.codecs) types.register(tag, codec);
  return types;
}

/** Null where memory can be shared. */
function reasonToCopy({ facts }: PlatformReport, native: Native | null): string | null {
  if (facts.os !== "linux" || facts.arch === "other") return "there is no native library for this machine";
  if (native === null) return "this process may not use FFI; --allow-ffi permits it";
  return facts.memfd ? null : "the kernel makes no memory files (memfd_create is refused)";
}

async function isFfiGranted(): Promise<boolean> {
  return (await Deno.permissions.query({ name: "ffi" })).state === "granted";
}

/** All results, or the first failure once nothing of them goes on. */
async function allEnded<T extends readonly unknown[]>(
  work: readonly [...{ [K in keyof T]: Promise<T[K]> }],
): Promise<T> {
  await Promise.allSettled(work);
  return await Promise.all(work) as unknown as T;
}

async function cachedLibrary(cacheDirectory: string): Promise<string | null> {
  try {
    return await nativeLibraryPath(cacheDirectory);
  } catch (cause) {
    if (cause instanceof CordonError || !(cause instanceof Error)) throw cause;
    throw new ConfigError(`Cannot use "${cacheDirectory}" as the cache directory: ${cause.message}`, {
      path: "cacheDirectory",
      hint: "Name another directory in the host's option `cacheDirectory`, or in XDG_CACHE_HOME",
      cause,
    });
  }
}
