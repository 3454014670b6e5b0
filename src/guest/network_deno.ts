/**
 * `Deno.connect()`, `Deno.connectTls()`, `fetch` and `WebSocket` as a plugin behind the egress proxy sees them.
 *
 * @module
 */

import { networkDenied, type Tunnels } from "./network_tunnel.ts";

type DenoConnect = typeof Deno.connect;
type DenoConnectTls = typeof Deno.connectTls;

const LOOPBACK = new Set(["127.0.0.1", "localhost", "[::1]", "0.0.0.0"]);

/**
 * The text under which a host and a port stand in an allow-list.
 *
 * @param host As a caller wrote it.
 * @param port As a caller wrote it.
 * @returns `host:port` in lower case, IPv6 in brackets.
 */
export function targetText(host: string, port: number | string): string {
  const name = host.toLowerCase();
  return `${name.includes(":") && !name.startsWith("[") ? `[${name}]` : name}:${port}`;
}

/**
 * Whether a target is the sandbox's own loopback: not listed, so the plugin means itself.
 *
 * @param target `host:port`.
 * @param tunnels Knows the list.
 * @returns True if it should be connected inside.
 */
export function isOwnLoopback(target: string, tunnels: Tunnels): boolean {
  return LOOPBACK.has(target.slice(0, target.lastIndexOf(":"))) && !tunnels.lists(target);
}

/**
 * Replace the four functions. The two of `Deno` are fixed; the web's stay replaceable, as programs expect.
 *
 * @param tunnels Where connections go.
 */
export function wrapDeno(tunnels: Tunnels): void {
  const connect = tunnelledConnect(Deno.connect, tunnels);
  const connectTls = tunnelledConnectTls(connect, Deno.startTls, tunnels, Deno.connectTls);
  Object.defineProperty(Deno, "connect", { value: connect, enumerable: true });
  Object.defineProperty(Deno, "connectTls", { value: connectTls, enumerable: true });
  for (const name of ["connect", "connectTls"]) {
    Object.defineProperty(Deno, name, { writable: false, configurable: false });
  }
  globalThis.fetch = explainedFetch(globalThis.fetch, tunnels);
  globalThis.WebSocket = explainedWebSocket(globalThis.WebSocket, tunnels);
}

function tunnelledConnect(original: DenoConnect, tunnels: Tunnels): DenoConnect {
  const connect = async (options: Deno.ConnectOptions): Promise<Deno.Conn> => {
    if (options.transport !== undefined && options.transport !== "tcp") return await original(options);
    const target = targetText(options.hostname ?? "127.0.0.1", options.port);
    if (isOwnLoopback(target, tunnels)) return await original(options);
    options.signal?.throwIfAborted();
    const tunnel = await tunnels.open(target);
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    try {
      options.signal?.throwIfAborted();
      const [client, server] = await Promise.all([
        original({ hostname: "127.0.0.1", port: listener.addr.port }),
        listener.accept(),
      ]);
      server.unref();
      void tunnel.splice(server);
      return client;
    } catch (error) {
      tunnel.close();
      throw error;
    } finally {
      listener.close();
    }
  };
  return connect as DenoConnect;
}

function tunnelledConnectTls(
  connect: DenoConnect,
  startTls: typeof Deno.startTls,
  tunnels: Tunnels,
  original: DenoConnectTls,
): DenoConnectTls {
  return async (options: Deno.ConnectTlsOptions & { readonly cert?: string; readonly key?: string }) => {
    const { port, hostname = "127.0.0.1", ...tls } = options;
    if (isOwnLoopback(targetText(hostname, port), tunnels)) return await original(options);
    if (options.cert !== undefined || options.key !== undefined) {
      throw new TypeError(
        "Cannot use a client certificate in Deno.connectTls() as its tunnel cannot carry one: use node:tls for it",
      );
    }
    return await startTls(await connect({ hostname, port }), { hostname, ...tls });
  };
}

function explainedFetch(original: typeof fetch, tunnels: Tunnels): typeof fetch {
  return async function fetch(...request) {
    try {
      return await original(...request);
    } catch (error) {
      throw explained(error, tunnels);
    }
  };
}

function explainedWebSocket(original: typeof WebSocket, tunnels: Tunnels): typeof WebSocket {
  return class WebSocket extends original {
    // deno-lint-ignore constructor-super -- it is called, inside the try
    constructor(...request: ConstructorParameters<typeof globalThis.WebSocket>) {
      try {
        super(...request);
      } catch (error) {
        throw explained(error, tunnels);
      }
    }
  };
}

/** The runtime's error with the line to add, where the network's rules are the reason; else the error itself. */
function explained(error: unknown, tunnels: Tunnels): unknown {
  if (!(error instanceof Error)) return error;
  const asked = /^Requires net access to "([^"]+)"/.exec(error.message)?.[1];
  if (asked !== undefined) return networkDenied(asked, "it is not in the plugin's list", error);
  // The HTTP client's own message, with the URL that failed (the last of the redirects), is the cause of fetch's.
  const text = error.cause instanceof Error ? error.cause.message : error.message;
  const url = /\burl \(([^)\s]+)\)/.exec(text)?.[1];
  if (url === undefined || !URL.canParse(url)) return error;
  const { hostname, port, protocol } = new URL(url);
  const refusal = tunnels.refusal(targetText(hostname, port || (protocol === "https:" ? 443 : 80)));
  if (refusal === undefined) return error;
  Object.defineProperty(refusal, "cause", { value: error, configurable: true });
  return refusal;
}
