/**
 * One process of a plugin: a sandbox with the plugin's code in it, ready for calls.
 *
 * @module
 */

import { pathToFileURL } from "node:url";
import type { Bundle } from "../bundle/types.ts";
import { exposeService, exposeSingleton, ProxiedSingleton } from "../proxy/mod.ts";
import type { SingletonClass } from "../proxy/mod.ts";
import type { SandboxDirectory } from "../launcher/types.ts";
import { sandboxPaths } from "../launcher/sandbox_paths.ts";
import { policyWithDependencies } from "../policy/policy_with_dependencies.ts";
import type { ExportDescription, LoadSpec, ServiceDescription } from "../rpc/mod.ts";
import { coverageOf } from "./coverage.ts";
import { importFailure, tellToLoad } from "./import_plugin.ts";
import type { PinnedCode } from "./pinned_code.ts";
import { bundledCode, stackRewriter, unbundledCode, usesHost } from "./plugin_code.ts";
import { PluginOutput } from "./plugin_output.ts";
import { isWarmable, spareKey, startSpare } from "./spare_sandbox.ts";
import { startSandbox } from "./start_sandbox.ts";
import type { Sandbox, StartRequest } from "./start_sandbox.ts";

/** A loaded process. Disposing kills it and waits until nothing is left. */
export interface Generation extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly exports: readonly ExportDescription[];
  readonly bundle: Bundle;
}

/** What a load needs besides a start. */
export type GenerationRequest = Omit<StartRequest, "mapStack" | "onOutput"> & {
  /** Shared with other processes. @default the code as it is now */
  readonly code?: PinnedCode;
};

/** A sandbox with the plugin's files in it, nothing imported yet. Disposing kills it and waits. */
export interface Prepared extends AsyncDisposable {
  readonly sandbox: Sandbox;
  readonly bundle: Bundle;
  /** What the guest is told to load. */
  readonly spec: LoadSpec;
  /** Stack of the bundle → stack of the sources. */
  readonly rewrite: (stack: string) => string;
}

/**
 * Bundle the plugin, start its sandbox, load one into the other.
 *
 * @param request What to load.
 * @returns The generation; the caller disposes it.
 * @throws {BundleError} If the code cannot be bundled.
 * @throws {LaunchError} If the sandbox or the import failed; nothing is left.
 */
export async function loadGeneration(request: GenerationRequest): Promise<Generation> {
  const startedAt = performance.now();
  await using cleanup = new AsyncDisposableStack();
  const prepared = cleanup.use(await prepareGeneration(request));
  const exports = await importPlugin(prepared, request);
  keepWarm(request);
  const { sandbox, bundle } = prepared;
  const startMs = performance.now() - startedAt;
  request.context.hooks.emit("ready", { plugin: request.config.name, pid: sandbox.guest.pid, startMs });
  const resources = cleanup.move();
  return { sandbox, bundle, exports, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/**
 * Bundle the plugin and start its sandbox side by side, and put one into the other.
 *
 * @param request What to load.
 * @returns A sandbox that only has to be told to import; the caller disposes it.
 * @throws As `loadGeneration()`.
 */
export async function prepareGeneration(request: GenerationRequest): Promise<Prepared> {
  let rewrite = (stack: string): string => stack;
  const abort = new AbortController();
  const signal = request.signal === undefined
    ? abort.signal
    : AbortSignal.any([request.signal, abort.signal]);
  const { config, context } = request;
  const output = new PluginOutput({
    name: config.name,
    output: config.output,
    hooks: context.hooks,
    rewrite: (line) => rewrite(line),
  });
  await using cleanup = new AsyncDisposableStack();
  const coverage = await coverageOf(config, request.policy, context.directory.path);
  if (coverage !== null) cleanup.use(coverage);
  const start = {
    ...request,
    policy: coverage?.policy ?? request.policy,
    signal,
    mapStack: (stack: string) => rewrite(stack),
    onOutput: output.push,
  };
  const [started, bundle] = config.bundle === false
    ? await startUnbundled(start)
    : await bothOrNeither(...startAndBundle(start), abort);
  const sandbox = cleanup.use(started);
  if (coverage !== null) coverage.bundle = bundle;
  void sandbox.guest.exited.then(() => atTheEnd(sandbox, request, output));
  const { plugin } = sandboxPaths(sandbox.policy, sandbox.directory, request.context.directory.files);
  const entry = bundle.dependencies === undefined
    ? `${plugin}/${bundle.entry}`
    : pathToFileURL(`${plugin}/${bundle.entry}`).href;
  rewrite = stackRewriter(bundle, plugin, entry);
  for (const text of bundle.warnings) context.hooks.emit("warning", { plugin: config.name, text });
  writeBundle(sandbox.directory, bundle);
  const { inspector } = sandbox;
  if (inspector !== null) {
    if (bundle.dependencies === undefined) inspector.mapScript(`file://${entry}`, bundle.sourceMap);
    context.hooks.emit("inspector", { plugin: config.name, url: inspector.url });
    output.push("stderr", new TextEncoder().encode(`Debugger listening on ${inspector.url}\n`));
  }
  const spec = { entry, services: exposeServices(sandbox, request), usesHost: usesHost(bundle) };
  const resources = cleanup.move();
  return { sandbox, bundle, spec, rewrite, [Symbol.asyncDispose]: () => resources.disposeAsync() };
}

/** What such a plugin imports is mounted, so it has to be there before the start. */
async function startUnbundled(start: CodeRequest): Promise<[Sandbox, Bundle]> {
  const bundle = await codeOf(start, unbundledCode);
  const { dependencies } = bundle;
  const policy = dependencies === undefined
    ? start.policy
    : policyWithDependencies(start.policy, dependencies);
  return [await startSandbox({ ...start, policy }), bundle];
}

/** The last words of a process, and what was learned from it. */
function atTheEnd(sandbox: Sandbox, { config, context }: GenerationRequest, output: PluginOutput): void {
  output.end();
  const grant = sandbox.learned();
  if (typeof config.learn !== "function" || grant === null) return;
  try {
    config.learn(grant);
  } catch (error) {
    context.hooks.emit("listener-error", { event: "learn", error });
  }
}

type CodeRequest = StartRequest & Pick<GenerationRequest, "code">;

/** Who shares code may give up; the code is still made for the others. */
function codeOf(request: CodeRequest, make: (request: StartRequest) => Promise<Bundle>): Promise<Bundle> {
  const { code, signal: _ofThisProcess, ...shared } = request;
  return code === undefined ? make(request) : code.get(() => make(shared));
}

/** The bundler has its turn while the process boots: what it does before that would delay both. */
function startAndBundle(request: CodeRequest): [Promise<Sandbox>, Promise<Bundle>] {
  const launched = Promise.withResolvers<void>();
  const starting = takeOrStart({ ...request, onLaunched: launched.resolve });
  starting.then(() => launched.resolve(), () => launched.resolve());
  return [starting, launched.promise.then(() => codeOf(request, bundledCode))];
}

/** A sandbox that was started in advance, or else a new one. */
async function takeOrStart(request: StartRequest): Promise<Sandbox> {
  if (request.isScript) return await startSandbox(request);
  const spare = await request.context.warm.take(spareKey(request));
  if (spare === null) return await startSandbox(request);
  spare.assign(request);
  return spare.sandbox;
}

/** Has a sandbox ready for the next process of this plugin. */
function keepWarm(request: GenerationRequest): void {
  const { warm } = request.context;
  if (!isWarmable(request.config)) return;
  const key = spareKey(request);
  if (!warm.isFull(key)) warm.keep(key, (signal) => startSpare(request, signal));
}

/** Both results; when one fails the other is aborted or disposed, and the first failure is thrown. */
async function bothOrNeither(
  starting: Promise<Sandbox>,
  bundling: Promise<Bundle>,
  abort: AbortController,
): Promise<[Sandbox, Bundle]> {
  try {
    return await Promise.all([starting, bundling]);
  } catch (error) {
    abort.abort(error);
    const [started] = await Promise.allSettled([starting, bundling]);
    if (started.status === "fulfilled") await started.value[Symbol.asyncDispose]();
    throw error;
  }
}

function writeBundle(directory: SandboxDirectory, bundle: Bundle): void {
  for (const [name, contents] of bundle.files) directory.write(`${directory.plugin}/${name}`, contents);
}

function exposeServices(sandbox: Sandbox, { context, config }: GenerationRequest): ServiceDescription[] {
  return Object.entries(config.services).flatMap(([name, methods]) => {
    const service = context.config.services[name]!;
    if (!isSingletonClass(service)) return [exposeService(sandbox.session, name, service, methods)];
    const [own, ...nested] = exposeSingleton(sandbox.session, service, methods);
    // `useRemote()` asks for the class, `service()` for the name that was granted.
    return own!.name === name ? [own!, ...nested] : [{ ...own!, name, target: own!.name }, own!, ...nested];
  });
}

function isSingletonClass(service: object): service is SingletonClass {
  return typeof service === "function" && service.prototype instanceof ProxiedSingleton;
}

async function importPlugin(
  prepared: Prepared,
  { config, signal }: GenerationRequest,
): Promise<readonly ExportDescription[]> {
  // Whoever steps through code takes the time it takes.
  const timeout = config.inspect === undefined
    ? AbortSignal.timeout(config.startupTimeoutMs)
    : new AbortController().signal;
  const either = signal === undefined ? timeout : AbortSignal.any([signal, timeout]);
  try {
    return await tellToLoad(prepared, either);
  } catch (error) {
    signal?.throwIfAborted();
    throw await importFailure(error, prepared, config.name, timeout.aborted ? config.startupTimeoutMs : null);
  }
}
