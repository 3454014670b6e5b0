/**
 * What the egress proxy is given and what it tells.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";

/** One decision about one wish to connect. */
export interface EgressDecision {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** `host:port` as understood, or what was asked for with unsafe characters escaped. */
  readonly target: string;
  /** `denied` by a rule, `failed` by the network (no such name, connection refused, too slow). */
  readonly outcome: "allowed" | "denied" | "failed";
  /** The address that was connected, or that was the reason for the denial. */
  readonly address: string | null;
  /** Why, for people. May name addresses that the plugin is not told. */
  readonly reason: string;
  /** The line that would allow it; null if none would. */
  readonly suggestion: string | null;
  /** How often this same decision was made so far: 1, 10, 100, …; those between are not reported. */
  readonly count: number;
}

/** Bounds for all connections of one plugin together. */
export interface EgressLimits {
  /** Connections open at once. @default 64 */
  readonly maxConnections: number;
  /** Bytes in both directions over the life of the proxy. @default Infinity */
  readonly maxBytes: number;
  /** Milliseconds without a byte in either direction after which a connection is closed. @default 300_000 */
  readonly idleMs: number;
  /** Milliseconds for the request, the resolution and the connection together. @default 10_000 */
  readonly connectMs: number;
}

/** Where the host resolves names. */
export type Resolve = (host: string, signal: AbortSignal) => Promise<readonly string[]>;

/** How the host connects to an address that was checked. Never given a name. */
export type Connect = (address: string, port: number, signal: AbortSignal) => Promise<Deno.Conn>;

/** Options of `startEgressProxy()`. */
export interface EgressProxyOptions {
  /** Absolute path for the Unix socket, in a directory that only the sandbox's account can enter. */
  readonly socketPath: string;
  /** `host:port` entries; none allows nothing. */
  readonly allow: readonly string[];
  /** Hears of each decision. Must not throw. */
  readonly audit: (decision: EgressDecision) => void;
  /** Account that may connect to the socket. @default the host's own */
  readonly owner?: { readonly uid: number; readonly gid: number };
  /** Bounds that differ from the defaults. */
  readonly limits?: Partial<EgressLimits>;
  /** @default the system's resolver */
  readonly resolve?: Resolve;
  /** @default TCP */
  readonly connect?: Connect;
  /** @default the system's clock */
  readonly clock?: Clock;
}

/** A running proxy. Disposing closes every connection, removes the socket and waits until both are done. */
export interface EgressProxy extends AsyncDisposable {
  readonly socketPath: string;
  /** Connections open now, bytes carried so far in both directions, wishes denied so far. */
  readonly usage: Readonly<{ connections: number; bytes: number; denied: number }>;
}
