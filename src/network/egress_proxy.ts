/**
 * The only way out of a sandbox whose network is `proxy`: a Unix socket behind which the host decides and connects.
 *
 * @module
 */

import { systemClock } from "../util/clock.ts";
import { repeatFilter } from "../util/repeat_filter.ts";
import { allowList } from "./allow_list.ts";
import { type ConnectionContext, serveConnection } from "./egress_connection.ts";
import type { EgressRoute } from "./egress_route.ts";
import { systemConnect, systemResolve } from "./system_network.ts";
import type { EgressLimits, EgressProxy, EgressProxyOptions } from "./types.ts";

/** What {@linkcode startEgressProxy} uses where the options say nothing. */
const defaultEgressLimits: EgressLimits = Object.freeze({
  maxConnections: 64,
  maxBytes: Infinity,
  idleMs: 300_000,
  connectMs: 10_000,
});

const MAX_AUDIT_KEYS = 1_000;
/** Connections beyond the limit that are still told so; more than these are closed unheard, to bound descriptors. */
const TOLD_CONNECTIONS = 16;

/**
 * Start a proxy for one plugin.
 *
 * TLS passes through it unopened. A redirect is a new connection of the plugin and is checked as one.
 *
 * @param options The socket, the list, and who hears of decisions.
 * @returns The proxy, listening.
 * @throws {TypeError} If an entry of `allow` is not strictly a host and a port.
 * @throws {Deno.errors.AddrInUse} If something listens at `socketPath`.
 *
 * @example
 * ```ts
 * import { startEgressProxy } from "./egress_proxy.ts";
 *
 * const directory = await Deno.makeTempDir();
 * await using cleanup = new AsyncDisposableStack();
 * cleanup.defer(() => Deno.remove(directory));
 * await using proxy = await startEgressProxy({
 *   socketPath: `${directory}/net.sock`,
 *   allow: ["api.example.com:443"],
 *   audit: () => {},
 * });
 * proxy.usage.connections; // 0
 * ```
 */
export async function startEgressProxy(options: EgressProxyOptions): Promise<EgressProxy> {
  const allow = allowList(options.allow);
  const usage = { connections: 0, bytes: 0, denied: 0 };
  const context = connectionContext(options, usage, allow);
  const listener = Deno.listen({ transport: "unix", path: options.socketPath });
  try {
    await Deno.chmod(options.socketPath, 0o600);
    if (options.owner !== undefined) {
      await Deno.chown(options.socketPath, options.owner.uid, options.owner.gid);
    }
  } catch (error) {
    listener.close();
    throw error;
  }
  const stopping = new AbortController();
  const served = serveAll(listener, context, usage, stopping.signal);
  let disposed: Promise<void> | undefined;
  const dispose = async () => {
    listener.close();
    stopping.abort();
    await served;
    await removeIfThere(options.socketPath);
  };
  return { socketPath: options.socketPath, usage, [Symbol.asyncDispose]: () => disposed ??= dispose() };
}

const unheard: EgressRoute = Object.freeze({
  outcome: "denied",
  target: "*",
  address: null,
  reason: "too many connections wait for an answer",
  told: "",
  suggestion: null,
});

type Usage = { connections: number; bytes: number; denied: number };

function connectionContext(
  options: EgressProxyOptions,
  usage: Usage,
  allow: ConnectionContext["allow"],
): ConnectionContext {
  const { audit, resolve = systemResolve(), connect = systemConnect(), clock = systemClock() } = options;
  const limits = { ...defaultEgressLimits, ...options.limits };
  const repeats = repeatFilter(MAX_AUDIT_KEYS);
  const decided = (route: EgressRoute) => {
    if (route.outcome === "denied") usage.denied++;
    const { outcome, target, address } = route;
    const { reason, suggestion } = outcome === "allowed"
      ? { reason: "it is listed", suggestion: null }
      : route;
    const count = repeats.count([outcome, target, address, reason].join("\n"));
    if (count !== null) audit({ at: clock.now(), target, outcome, address, reason, suggestion, count });
  };
  const full = () => {
    if (usage.connections > limits.maxConnections) {
      return `${limits.maxConnections} connections are open already`;
    }
    return usage.bytes >= limits.maxBytes ? `the budget of ${limits.maxBytes} bytes is used up` : null;
  };
  const spend = (bytes: number) => {
    usage.bytes += bytes;
    if (usage.bytes > limits.maxBytes) throw new RangeError("the byte budget of the plugin is used up");
  };
  return { allow, resolve, connect, limits, clock, decided, full, spend };
}

async function serveAll(
  listener: Deno.UnixListener,
  context: ConnectionContext,
  usage: Usage,
  signal: AbortSignal,
): Promise<void> {
  const open = new Set<Promise<void>>();
  for (;;) {
    const client = await nextConnection(listener, context);
    if (client === null) break;
    if (usage.connections >= context.limits.maxConnections + TOLD_CONNECTIONS) {
      client.close();
      context.decided(unheard);
      continue;
    }
    usage.connections++;
    const settled = () => {
      usage.connections--;
      open.delete(ended);
    };
    // A rejection is how a connection ends when one side goes away; there is nobody to tell.
    const ended = serveConnection(client, context, signal).then(settled, settled);
    open.add(ended);
  }
  await Promise.all(open);
}

/** The next connection; null when the listener was closed, or fails: then the plugin has no network any more. */
async function nextConnection(
  listener: Deno.UnixListener,
  context: ConnectionContext,
): Promise<Deno.UnixConn | null> {
  try {
    return await listener.accept();
  } catch (error) {
    if (error instanceof Deno.errors.BadResource || error instanceof Deno.errors.Interrupted) return null;
    const reason = `the proxy stops: ${error instanceof Error ? error.message : String(error)}`;
    context.decided({
      outcome: "failed",
      target: "*",
      address: null,
      reason,
      told: reason,
      suggestion: null,
    });
    return null;
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
