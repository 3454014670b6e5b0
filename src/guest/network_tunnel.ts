/**
 * The guest's side of the egress proxy: one connection of the proxy's Unix socket becomes one connection to a host.
 *
 * Nothing here decides anything: what is denied is denied by the proxy on the host.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import { copyBytes, writeAll } from "../util/copy_bytes.ts";

const MAX_ANSWER_BYTES = 1024;
const MAX_REMEMBERED_REFUSALS = 64;

/** A connection to a host, through the proxy. */
export interface Tunnel {
  /**
   * Carry bytes between the tunnel and a local connection until both have ended.
   *
   * @param local Owned from now on.
   * @returns Settles when both are closed; how a connection ends is seen by its users, so this never rejects.
   */
  splice(local: Deno.Conn): Promise<void>;
  /** Give it up unused. */
  close(): void;
}

/** Opens tunnels. */
export interface Tunnels {
  /**
   * Whether the plugin's list names a target. Only for good errors: the proxy has the last word.
   *
   * @param target `host:port` in lower case.
   */
  lists(target: string): boolean;
  /**
   * Open a tunnel.
   *
   * @param target `host:port`.
   * @returns The tunnel, owned by the caller.
   * @throws {PermissionDeniedError} If the target is not listed or the proxy denies it.
   * @throws {Deno.errors.ConnectionRefused} If the host cannot reach it.
   */
  open(target: string): Promise<Tunnel>;
  /**
   * Why `open()` failed last for a target.
   *
   * @param target `host:port`.
   */
  refusal(target: string): Error | undefined;
}

/**
 * Make the opener of tunnels.
 *
 * @param socketPath The proxy's socket as the guest sees it.
 * @param allow The plugin's list.
 * @returns The opener; it holds nothing open.
 */
export function tunnels(socketPath: string, allow: readonly string[]): Tunnels {
  const connect = Deno.connect;
  const listed = new Set(allow.map((entry) => entry.toLowerCase()));
  const refusals = new Map<string, Error>();
  const lists = (target: string) => listed.has(target) || wildcardsOf(target).some((one) => listed.has(one));
  return {
    lists,
    refusal: (target) => refusals.get(target),
    open: async (target) => {
      try {
        if (!lists(target)) throw refused(target, "denied it is not in the plugin's list");
        return await opened(await connect({ transport: "unix", path: socketPath }), target);
      } catch (error) {
        if (refusals.size >= MAX_REMEMBERED_REFUSALS) refusals.clear();
        if (error instanceof Error) refusals.set(target, error);
        throw error;
      }
    },
  };
}

/**
 * The error for a target that the plugin may not reach.
 *
 * @param target `host:port`.
 * @param why What the rule found.
 * @param cause The runtime's own error, if there was one.
 * @returns An error with the line to add.
 */
export function networkDenied(target: string, why: string, cause?: unknown): PermissionDeniedError {
  const suggestion = `permissions: { net: [${JSON.stringify(target)}] }`;
  return new PermissionDeniedError(
    `Cannot connect to ${JSON.stringify(target)} as a plugin reaches only the hosts of its grant: ${why}`,
    { suggestion, hint: `Grant it with ${suggestion}`, cause },
  );
}

/** `a.b.test:443` → `*.b.test:443`, `*.test:443`. */
function wildcardsOf(target: string): string[] {
  const name = target.slice(0, target.lastIndexOf(":"));
  return Array.from(name.matchAll(/\./g), ({ index }) => `*${target.slice(index)}`);
}

async function opened(conn: Deno.UnixConn, target: string): Promise<Tunnel> {
  conn.unref();
  try {
    await writeAll(conn, new TextEncoder().encode(`connect ${target}\n`));
    const { line, rest } = await readAnswer(conn);
    if (line !== "ok") throw refused(target, line);
    return { close: () => conn.close(), splice: (local) => splice(conn, rest, local) };
  } catch (error) {
    conn.close();
    throw error;
  }
}

function refused(target: string, answer: string): Error {
  const [outcome, ...words] = answer.split(" ");
  const why = words.join(" ");
  if (outcome === "denied") return networkDenied(target, why);
  return new Deno.errors.ConnectionRefused(
    `Cannot connect to ${JSON.stringify(target)}: ${why || "no answer"}`,
  );
}

/** The proxy's line, and what the server sent right after it. */
async function readAnswer(conn: Deno.Conn): Promise<{ line: string; rest: Uint8Array }> {
  const bytes = new Uint8Array(MAX_ANSWER_BYTES);
  let length = 0;
  while (length < bytes.length) {
    const count = await conn.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
    const end = bytes.subarray(0, length).indexOf(0x0a);
    if (end >= 0) {
      return { line: new TextDecoder().decode(bytes.subarray(0, end)), rest: bytes.slice(end + 1, length) };
    }
  }
  return { line: "failed the proxy ended the connection", rest: new Uint8Array() };
}

async function splice(tunnel: Deno.UnixConn, rest: Uint8Array, local: Deno.Conn): Promise<void> {
  const upwards = copyBytes(local, tunnel);
  const downwards = writeAll(local, rest).then(() => copyBytes(tunnel, local));
  await Promise.all([upwards, downwards]).catch(() => undefined);
  tunnel.close();
  local.close();
  await Promise.allSettled([upwards, downwards]);
}
