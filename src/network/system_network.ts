/**
 * The host's own network: its resolver and its TCP.
 *
 * @module
 */

import type { Connect, Resolve } from "./types.ts";

/**
 * Resolve as other programs of the host do (`/etc/hosts` included), all addresses of both families.
 *
 * @returns A resolver.
 */
export function systemResolve(): Resolve {
  return async (host, signal) => {
    // Loaded at the first name: a host without the proxy does not pay for it.
    const { lookup } = await import("node:dns/promises");
    const answer = lookup(host, { all: true, verbatim: true });
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    try {
      signal.throwIfAborted();
      return (await Promise.race([answer, aborted.promise])).map(({ address }) => address);
    } finally {
      signal.removeEventListener("abort", onAbort);
    }
  };
}

/**
 * Connect by TCP.
 *
 * @returns A connector that takes addresses only.
 */
export function systemConnect(): Connect {
  return async (address, port, signal) => {
    const conn = await Deno.connect({ hostname: address, port, signal });
    conn.setNoDelay(true);
    return conn;
  };
}
