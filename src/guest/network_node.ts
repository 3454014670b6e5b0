/**
 * `node:net` (and with it `node:tls`, `node:http`, `node:https` and `node:http2`) as a plugin behind the proxy sees it.
 *
 * @module
 */

import type { Socket } from "node:net";
import { isOwnLoopback, targetText } from "./network_deno.ts";
import type { Tunnels } from "./network_tunnel.ts";

/** What `Socket.connect()` takes, as far as it matters here. */
interface ConnectOptions {
  readonly path?: string | null;
  readonly host?: string | null;
  readonly port?: number | string;
}

type LookupCallback = (
  error: Error | null,
  address?: string | { address: string; family: 4 }[],
  family?: 4,
) => void;
type Connect = (this: Socket, ...args: unknown[]) => Socket;

/** A name that makes the socket call `lookup`, which an address would not. It is never resolved. */
const PLACEHOLDER = "tunnel.invalid";

/**
 * Make every TCP socket of `node:net` go through the proxy.
 *
 * The tunnel is opened where Node looks up the name, so that queueing, time-outs, `destroy()` and errors stay Node's.
 *
 * @param tunnels Where connections go.
 * @returns Settles when it is in force.
 */
export async function wrapNode(tunnels: Tunnels): Promise<void> {
  const { Socket } = await import("node:net");
  const prototype = Socket.prototype as unknown as { connect: Connect };
  const original = prototype.connect;
  prototype.connect = function connect(this: Socket, ...args: unknown[]): Socket {
    const options = optionsOf(args);
    if (options === null || typeof options.path === "string") return original.apply(this, args);
    const target = targetText(options.host ?? "localhost", options.port ?? 0);
    if (isOwnLoopback(target, tunnels)) return original.apply(this, args);
    return original.apply(this, withOptions(args, { ...options, ...throughTunnel(this, target, tunnels) }));
  };
}

/** The options of a call in any of Node's forms; null if it connects to a Unix socket by path. */
function optionsOf(args: readonly unknown[]): ConnectOptions | null {
  const [first, second] = args;
  if (Array.isArray(first)) return first[0] as ConnectOptions;
  if (typeof first === "object" && first !== null) return first;
  if (typeof first === "string" && !/^[0-9]+$/.test(first)) return null;
  return { port: first as number | string, ...typeof second === "string" ? { host: second } : {} };
}

/** The same call with other options. Node marks the array that it has normalised, so that stays the same array. */
function withOptions(args: readonly unknown[], options: ConnectOptions): readonly unknown[] & unknown[] {
  const [first] = args;
  if (!Array.isArray(first)) return [options, ...args.filter((one) => typeof one === "function")];
  first[0] = options;
  return [...args];
}

function throughTunnel(socket: Socket, target: string, tunnels: Tunnels): object {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  listener.unref();
  let isListening = true;
  const stopListening = () => {
    if (isListening) listener.close();
    isListening = false;
  };
  socket.once("close", stopListening);
  const lookup = (_host: string, options: { readonly all?: boolean }, callback: LookupCallback) => {
    void carry(target, tunnels, listener, stopListening, (error) => {
      if (error !== null) callback(error);
      else if (options.all === true) callback(null, [{ address: "127.0.0.1", family: 4 }]);
      else callback(null, "127.0.0.1", 4);
    });
  };
  return {
    host: PLACEHOLDER,
    port: listener.addr.port,
    lookup,
    family: 4,
    localAddress: undefined,
    localPort: undefined,
  };
}

async function carry(
  target: string,
  tunnels: Tunnels,
  listener: Deno.TcpListener,
  stopListening: () => void,
  opened: (error: Error | null) => void,
): Promise<void> {
  let tunnel;
  try {
    tunnel = await tunnels.open(target);
  } catch (error) {
    return opened(error instanceof Error ? error : new Error(String(error)));
  }
  const accepted = listener.accept();
  opened(null);
  try {
    const local = await accepted;
    local.unref();
    void tunnel.splice(local);
  } catch {
    // The socket was destroyed before it connected: the listener is closed, and the tunnel has no user.
    tunnel.close();
  } finally {
    stopListening();
  }
}
