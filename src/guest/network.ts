/**
 * Makes the network APIs of a plugin work through the host's egress proxy.
 *
 * Convenience only: the sandbox's network namespace is empty, and the proxy on the host decides.
 *
 * @module
 */

import { wrapDeno } from "./network_deno.ts";
import { wrapNode } from "./network_node.ts";
import { serveSocks } from "./network_socks.ts";
import { tunnels } from "./network_tunnel.ts";

/** Options of {@linkcode installNetwork}. */
export interface NetworkOptions {
  /** The proxy's Unix socket as the guest sees it. */
  readonly socketPath: string;
  /** The plugin's `host:port` list. */
  readonly allow: readonly string[];
  /** Whether the plugin may use `node:net` and what is built on it; preparing it costs about 20 ms. @default true */
  readonly node?: boolean;
}

/**
 * Replace the network functions. Call it once, before the plugin's code is imported.
 *
 * `fetch` and `WebSocket` need the variable `ALL_PROXY=socks5h://127.0.0.1:1080` in the environment of the process.
 *
 * @param options Where the proxy listens, and what it allows.
 * @returns Settles when every function is in place.
 * @throws {Deno.errors.NotCapable} If the process may not listen on its own loopback.
 */
export async function installNetwork(options: NetworkOptions): Promise<void> {
  const open = tunnels(options.socketPath, options.allow);
  serveSocks(open);
  if (options.node !== false) await wrapNode(open);
  wrapDeno(open);
}
