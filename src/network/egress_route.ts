/**
 * Decides whether a plugin's wish to connect is granted, and connects to the very address that was checked.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import type { AllowList } from "./allow_list.ts";
import { formatAddress, parseAddress } from "./ip_address.ts";
import { formatTarget, parseTarget, type Target } from "./target.ts";
import type { Connect, Resolve } from "./types.ts";

/** What came of a wish. */
export type EgressRoute =
  | {
    readonly outcome: "allowed";
    readonly target: string;
    readonly address: string;
    readonly conn: Deno.Conn;
  }
  | {
    readonly outcome: "denied" | "failed";
    readonly target: string;
    readonly address: string | null;
    /** For the audit log. */
    readonly reason: string;
    /** For the plugin: without addresses that the host's resolver knows. */
    readonly told: string;
    readonly suggestion: string | null;
  };

/** What a route depends on. */
export interface RouteContext {
  readonly allow: AllowList;
  readonly resolve: Resolve;
  readonly connect: Connect;
}

/**
 * Check a wish and connect. Names are resolved once, here, and the addresses of that answer are the only ones tried:
 * a second answer that differs (rebinding) is never asked for.
 *
 * @param text What the plugin sent.
 * @param context The rules and the network.
 * @param signal Ends resolution and connection.
 * @returns An open connection that the caller owns, or why there is none. Does not reject.
 */
export async function egressRoute(
  text: string,
  { allow, resolve, connect }: RouteContext,
  signal: AbortSignal,
): Promise<EgressRoute> {
  const target = parseTarget(text);
  if (target === null) return denied(cleanText(text), null, "it is not strictly a host and a port", null);
  const name = formatTarget(target.host, target.port);
  if (!allow.lists(target)) return denied(name, null, "it is not in the plugin's list", grantOf(name));
  let addresses: readonly Uint8Array[];
  try {
    addresses = target.address === null ? await resolved(target, resolve, signal) : [target.address];
  } catch (error) {
    return failed(
      name,
      null,
      `its name cannot be resolved: ${messageOf(error)}`,
      "its name cannot be resolved",
    );
  }
  const usable = addresses.filter((address) => allow.refusal(address, target.port) === null);
  const first = addresses[0];
  if (first === undefined) return failed(name, null, "its name has no address", "its name has no address");
  if (usable.length === 0) return notPublic(target, first, allow);
  return await firstConnection(target, usable, connect, signal);
}

async function resolved(
  target: Target,
  resolve: Resolve,
  signal: AbortSignal,
): Promise<readonly Uint8Array[]> {
  const answers = await resolve(target.host, signal);
  return answers.map((answer) => parseAddress(answer)).filter((address) => address !== null);
}

function notPublic(target: Target, address: Uint8Array, allow: AllowList): EgressRoute {
  const text = formatAddress(address);
  const reason = allow.refusal(address, target.port) ?? "";
  return {
    outcome: "denied",
    target: formatTarget(target.host, target.port),
    address: text,
    reason: `it leads to an address that is not public and not listed: ${reason}`,
    told: "it leads to an address that is not public and not listed",
    suggestion: grantOf(formatTarget(text, target.port)),
  };
}

async function firstConnection(
  target: Target,
  addresses: readonly Uint8Array[],
  connect: Connect,
  signal: AbortSignal,
): Promise<EgressRoute> {
  const name = formatTarget(target.host, target.port);
  let last = "";
  for (const address of addresses.map(formatAddress)) {
    if (signal.aborted) break;
    try {
      return { outcome: "allowed", target: name, address, conn: await connect(address, target.port, signal) };
    } catch (error) {
      last = messageOf(error);
    }
  }
  const reason = signal.aborted ? "it took too long" : last;
  return failed(name, formatAddress(addresses[0] ?? new Uint8Array(4)), reason, reason);
}

function denied(
  target: string,
  address: string | null,
  reason: string,
  suggestion: string | null,
): EgressRoute {
  return { outcome: "denied", target, address, reason, told: reason, suggestion };
}

function failed(target: string, address: string | null, reason: string, told: string): EgressRoute {
  return { outcome: "failed", target, address, reason, told, suggestion: null };
}

function grantOf(entry: string): string {
  return `permissions: { net: [${JSON.stringify(entry)}] }`;
}

function messageOf(error: unknown): string {
  return cleanText(error instanceof Error ? error.message : String(error));
}
