/**
 * From a policy to a sandbox that said hello and gave up its privileges, but has no foreign code in it yet.
 *
 * @module
 */

import type { LoadConfig, OversightConfig } from "../config/types.ts";
import { ProtocolError } from "../errors.ts";
import { launch } from "../launcher/launch.ts";
import type { LaunchedGuest, SandboxDirectory } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { RpcSession, traceFromEnvironment } from "../rpc/mod.ts";
import type { TypeRegistry } from "../rpc/mod.ts";
import { widenConnection } from "../native/mod.ts";
import { socketTransport } from "../transport/mod.ts";
import type { BootRecord } from "../util/boot_record.ts";
import type { LearnedGrant } from "../util/permission.ts";
import { addSuggestion } from "./add_suggestion.ts";
import { bootRecord } from "./boot_record.ts";
import type { PermissionBroker } from "./broker_types.ts";
import { confinement } from "./confinement.ts";
import { crashError } from "./crash_error.ts";
import { sessionTypes } from "./host_context.ts";
import type { HostContext } from "./host_context.ts";
import { openDescriptorChannel } from "./descriptor_channel.ts";
import { openEgress } from "./egress.ts";
import { type Inspector, openInspector } from "./inspector.ts";
import { limitMemory } from "./limit_memory.ts";
import { openBroker } from "./open_broker.ts";
import { brokerEvent, egressEvent } from "./permission_event.ts";
import { startFailure } from "./start_failure.ts";

/** What a start needs to know. */
export interface StartRequest {
  readonly context: HostContext;
  readonly config: LoadConfig & OversightConfig;
  readonly policy: SandboxPolicy;
  /** `Deno.args` inside. */
  readonly args: readonly string[];
  /** Called when the process exists; a start that fails earlier only rejects. */
  readonly onLaunched?: () => void;
  /** Started before anybody needs it. @default false */
  readonly isSpare?: boolean;
  /** A script that uses this process' stdin, stdout and stderr. */
  readonly isScript: boolean;
  /** Receives output that is not inherited. */
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Rewrites stacks of errors to source positions. */
  readonly mapStack?: (stack: string) => string;
  /** Signals of this process that the script gets, or that end it. */
  readonly forwardSignals?: readonly Deno.Signal[];
  /** Aborts the start. */
  readonly signal?: AbortSignal;
}

/** A confined process that waits for its plugin. Disposing kills it and waits until nothing is left. */
export interface Sandbox extends AsyncDisposable {
  readonly policy: SandboxPolicy;
  readonly guest: LaunchedGuest;
  readonly session: RpcSession;
  readonly directory: SandboxDirectory;
  /** How tensors cross. */
  readonly tensors: "shared" | "copy";
  /** Where a debugger is attached; null without one. */
  readonly inspector: Inspector | null;
  /** Whether the plugin stands still until its question about a permission is answered. */
  isAsking(): boolean;
  /** What it asked for so far; `null` without a permission broker. */
  learned(): LearnedGrant | null;
}

/** A peer whose connection is gone gets this long to exit by itself before it is killed, in milliseconds. */
const EXIT_GRACE_MS = 1_000;

/**
 * Start a sandbox and shake hands with its guest.
 *
 * @param request What to start.
 * @returns The sandbox; the caller disposes it.
 * @throws {LaunchError} If it did not come up; nothing is left of it.
 * @throws `request.signal.reason` if aborted.
 */
export async function startSandbox(request: StartRequest): Promise<Sandbox> {
  const { context, config, policy } = request;
  await using cleanup = new AsyncDisposableStack();
  const directory = context.directory.createSandboxDirectory();
  cleanup.defer(() => directory.remove());
  const { hooks } = context;
  const egress = await openEgress(
    directory,
    policy,
    (decision) => hooks.emit("permission", egressEvent(config.name, decision)),
  );
  if (egress !== null) cleanup.use(egress);
  const broker = await openBroker({
    directory,
    policy,
    config,
    files: context.directory.files,
    audit: (entry) => hooks.emit("permission", brokerEvent(entry)),
  });
  if (broker !== null) cleanup.use(broker);
  const inspector = config.inspect === undefined
    ? null
    : cleanup.use(openInspector({ directory, policy, inspect: config.inspect }));
  const channel = openDescriptorChannel(context.tensors.kind === "shared" ? context.native : null);
  const types = sessionTypes(context);
  const link = context.tensors.connect({
    fd: channel?.host ?? null,
    plugin: config.name,
    maxFrameBytes: config.maxFrameBytes,
    onViolation: (error) => onViolation(error),
  });
  cleanup.use(link);
  link.register(types);
  await context.cuda.connect({ policy, plugin: config.name, link, types });
  const boot = await bootRecord({
    context,
    config,
    policy,
    directory,
    channel,
    isScript: request.isScript,
    isSpare: request.isSpare ?? false,
  });
  using _guestEnd = channel;
  const guest = await launch({
    policy,
    runtime: context.runtime,
    files: context.directory.files,
    filters: context.filters,
    directory,
    args: request.args,
    stdio: request.isScript && config.output === "inherit" ? "inherit" : "piped",
    hasBroker: broker !== null,
    ...(request.onOutput === undefined ? {} : { onOutput: request.onOutput }),
    ...(context.native === null ? {} : { native: context.native }),
    inheritedFds: channel === null ? [] : [channel.guest],
  });
  cleanup.use(guest);
  request.onLaunched?.();
  hooks.emit("spawned", { plugin: config.name, pid: guest.pid, tier: policy.tier });
  const session = await greet({ guest, request, types, directory, boot, broker });
  cleanup.use(session);
  void session.closed.then((error) => error instanceof ProtocolError && guest.kill("protocol-error"));
  const onViolation = (error: ProtocolError): void => {
    session.close(error);
    guest.kill("protocol-error");
  };
  const resources = cleanup.move();
  return {
    policy,
    guest,
    session,
    directory,
    tensors: context.tensors.kind,
    inspector,
    isAsking: () => broker?.isAsking ?? false,
    learned: () => broker?.learned() ?? null,
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

/** A process that has yet to show who it is. */
interface Stranger {
  readonly guest: LaunchedGuest;
  readonly request: StartRequest;
  readonly types: TypeRegistry;
  readonly directory: SandboxDirectory;
  readonly boot: BootRecord;
  readonly broker: PermissionBroker | null;
}

/** Accept connections until one shows the token, bounded by the start-up time and the life of the process. */
async function greet({ guest, request, types, directory, boot, broker }: Stranger): Promise<RpcSession> {
  const { config, context, policy } = request;
  const timeout = AbortSignal.timeout(config.startupTimeoutMs);
  const signal = request.signal === undefined ? timeout : AbortSignal.any([timeout, request.signal]);
  try {
    while (true) {
      const connection = await guest.accept(signal);
      // Owns the connection from now on.
      const session = sessionOver(connection, guest, request, types, boot.token);
      const confined = broker === null ? null : confinement(session);
      try {
        if (context.native !== null) widenConnection(context.native, connection);
        await limitMemory({
          view: { native: context.native, files: context.directory.files },
          guest,
          policy,
          directory,
          boot,
        });
        await session.start(signal);
        guest.closeListener();
        await confined?.(signal);
        broker?.lockDown();
        return session;
      } catch (error) {
        session.close();
        if (!(error instanceof ProtocolError)) throw error;
      }
    }
  } catch (error) {
    request.signal?.throwIfAborted();
    throw await startFailure(error, { guest, config, isTimeout: timeout.aborted });
  }
}

function sessionOver(
  connection: Deno.UnixConn,
  guest: LaunchedGuest,
  { context, config, mapStack }: StartRequest,
  types: TypeRegistry,
  token: string,
): RpcSession {
  return new RpcSession(socketTransport(connection, { maxFrameBytes: config.maxFrameBytes }), {
    role: "host",
    token,
    name: config.name,
    limits: { maxFrameBytes: config.maxFrameBytes },
    types,
    timeoutMs: config.timeoutMs,
    ambient: context.ambient,
    trace: traceFromEnvironment(config.name),
    ...(mapStack === undefined ? {} : { mapStack }),
    onPeerError: addSuggestion,
    onHandlerError: (error, where) =>
      context.hooks.emit("listener-error", { event: where, error, plugin: config.name }),
    onGoodbye: () => guest.noteGoodbye(),
    onPeerClosed: () => whyItDied(guest, config.name, mapStack),
  });
}

/** The exit of a process whose connection ended; one that does not exit is killed. */
async function whyItDied(
  guest: LaunchedGuest,
  name: string,
  mapStack: (stack: string) => string = (stack) => stack,
): Promise<Error> {
  const timer = setTimeout(() => guest.kill("connection-lost"), EXIT_GRACE_MS);
  try {
    const exit = await guest.exited;
    return crashError(name, { ...exit, stderrTail: mapStack(exit.stderrTail) });
  } finally {
    clearTimeout(timer);
  }
}
