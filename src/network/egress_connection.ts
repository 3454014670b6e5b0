/**
 * One connection of a plugin to the egress proxy: a line that says where to, an answer, then bytes both ways.
 *
 * The plugin's side sends `connect host:port\n`; the answer is `ok\n`, `denied <why>\n` or `failed <why>\n`.
 *
 * @module
 */

import { cleanText } from "../util/clean_text.ts";
import type { Clock } from "../util/clock.ts";
import { copyBytes, writeAll } from "../util/copy_bytes.ts";
import { type EgressRoute, egressRoute, type RouteContext } from "./egress_route.ts";
import type { EgressLimits } from "./types.ts";

const MAX_REQUEST_BYTES = 512;
const VERB = "connect ";

/** What all connections of one plugin share. */
export interface ConnectionContext extends RouteContext {
  readonly limits: EgressLimits;
  readonly clock: Clock;
  /** Why no more connections are served at the moment; null if they are. */
  readonly full: () => string | null;
  /** Hears what was decided. */
  readonly decided: (route: EgressRoute) => void;
  /** Counts bytes. Throws when the plugin's budget is used up. */
  readonly spend: (bytes: number) => void;
}

/**
 * Serve one connection until either side has ended it.
 *
 * @param client The plugin's side. Owned from now on, closed when the promise settles.
 * @param context What it shares with the plugin's other connections.
 * @param signal Ends it at once.
 * @throws What reading and writing throw when one side goes away: the ordinary end of a connection.
 */
export async function serveConnection(
  client: Deno.Conn,
  context: ConnectionContext,
  signal: AbortSignal,
): Promise<void> {
  const open = new Set([client]);
  const close = () => {
    for (const conn of open) conn.close();
    open.clear();
  };
  signal.addEventListener("abort", close, { once: true });
  try {
    const cancel = context.clock.after(context.limits.connectMs, close);
    const request = await requestLine(client).finally(cancel);
    const route = await routeOf(request, context, signal);
    if (route.outcome === "allowed") open.add(route.conn);
    context.decided(route);
    await writeAll(client, new TextEncoder().encode(answerOf(route)));
    if (route.outcome === "allowed") await relay(client, route.conn, close, context);
  } finally {
    signal.removeEventListener("abort", close);
    close();
  }
}

/** One line, byte for byte; whatever follows it too early stays in it, so that it is refused. */
async function requestLine(client: Deno.Conn): Promise<string> {
  const bytes = new Uint8Array(MAX_REQUEST_BYTES);
  let length = 0;
  while (length < bytes.length && bytes[length - 1] !== 0x0a) {
    const count = await client.read(bytes.subarray(length));
    if (count === null) throw new Deno.errors.UnexpectedEof("the plugin's side ended without a request");
    length += count;
  }
  return Array.from(bytes.subarray(0, length), (byte) => String.fromCharCode(byte)).join("");
}

async function routeOf(
  request: string,
  context: ConnectionContext,
  signal: AbortSignal,
): Promise<EgressRoute> {
  const isRequest = request.startsWith(VERB) && request.endsWith("\n");
  const target = isRequest ? request.slice(VERB.length, -1) : request;
  const full = context.full();
  if (full !== null) return refusedAsFull(target, full);
  const deadline = new AbortController();
  const cancel = context.clock.after(context.limits.connectMs, () => deadline.abort());
  try {
    return await egressRoute(target, context, AbortSignal.any([deadline.signal, signal]));
  } finally {
    cancel();
  }
}

function refusedAsFull(target: string, reason: string): EgressRoute {
  return {
    outcome: "denied",
    target: cleanText(target),
    address: null,
    reason,
    told: reason,
    suggestion: null,
  };
}

function answerOf(route: EgressRoute): string {
  return route.outcome === "allowed" ? "ok\n" : `${route.outcome} ${route.told}\n`;
}

async function relay(
  client: Deno.Conn,
  server: Deno.Conn,
  close: () => void,
  { clock, limits, spend }: ConnectionContext,
): Promise<void> {
  let lastByteAt = clock.now();
  const onChunk = (bytes: number) => {
    lastByteAt = clock.now();
    spend(bytes);
  };
  const checkIdle = () => {
    const leftMs = lastByteAt + limits.idleMs - clock.now();
    if (leftMs <= 0) close();
    else cancel = clock.after(leftMs, checkIdle);
  };
  let cancel = clock.after(limits.idleMs, checkIdle);
  const upwards = copyBytes(client, server, onChunk);
  const downwards = copyBytes(server, client, onChunk);
  try {
    await Promise.all([upwards, downwards]);
  } finally {
    cancel();
    close();
    await Promise.allSettled([upwards, downwards]);
  }
}
