/**
 * A SOCKS5 server on the sandbox's own loopback, to which Deno's HTTP client takes `fetch` and `WebSocket`.
 *
 * @module
 */

import { PermissionDeniedError } from "../errors.ts";
import { writeAll } from "../util/copy_bytes.ts";
import type { Tunnels } from "./network_tunnel.ts";

/** The runtime is started with `ALL_PROXY=socks5h://127.0.0.1:1080`. In the empty namespace the port is free. */
const SOCKS_PORT = 1080;

const VERSION = 5;
const CONNECT = 1;
const Kind = { ipv4: 1, name: 3, ipv6: 4 } as const;
const Reply = { ok: 0, denied: 2, unreachable: 4, badCommand: 7 } as const;

/**
 * Listen and serve for as long as the process lives, without keeping it alive.
 *
 * @param tunnels Where connections go.
 */
export function serveSocks(tunnels: Tunnels): void {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: SOCKS_PORT });
  listener.unref();
  void acceptAll(listener, tunnels);
}

async function acceptAll(listener: Deno.TcpListener, tunnels: Tunnels): Promise<void> {
  for await (const client of listener) {
    client.unref();
    // A client that goes away during the handshake has nobody left to be told.
    serve(client, tunnels).catch(() => client.close());
  }
}

/** Takes `client`, and closes it unless it throws. */
async function serve(client: Deno.TcpConn, tunnels: Tunnels): Promise<void> {
  const [version = 0, methods = 0] = await readExactly(client, 2);
  if (version !== VERSION) throw new TypeError("the client does not speak SOCKS5");
  await readExactly(client, methods);
  await writeAll(client, Uint8Array.of(VERSION, 0));
  const [, command, , kind = 0] = await readExactly(client, 4);
  const host = await readHost(client, kind);
  const [high = 0, low = 0] = await readExactly(client, 2);
  if (command !== CONNECT) return await refuse(client, Reply.badCommand);
  let tunnel;
  try {
    tunnel = await tunnels.open(`${host.toLowerCase()}:${high * 256 + low}`);
  } catch (error) {
    return await refuse(client, error instanceof PermissionDeniedError ? Reply.denied : Reply.unreachable);
  }
  await writeAll(client, reply(Reply.ok)).catch((error) => {
    tunnel.close();
    throw error;
  });
  await tunnel.splice(client);
}

async function refuse(client: Deno.TcpConn, code: number): Promise<void> {
  await writeAll(client, reply(code));
  client.close();
}

function reply(code: number): Uint8Array {
  return Uint8Array.of(VERSION, code, 0, Kind.ipv4, 0, 0, 0, 0, 0, 0);
}

async function readHost(client: Deno.TcpConn, kind: number): Promise<string> {
  switch (kind) {
    case Kind.ipv4:
      return (await readExactly(client, 4)).join(".");
    case Kind.ipv6: {
      const groups = new DataView((await readExactly(client, 16)).buffer);
      const text = Array.from({ length: 8 }, (_, at) => groups.getUint16(at * 2).toString(16)).join(":");
      return new URL(`http://[${text}]/`).hostname;
    }
    case Kind.name: {
      const [length = 0] = await readExactly(client, 1);
      return bracketed(new TextDecoder().decode(await readExactly(client, length)));
    }
    default:
      throw new TypeError(`the client names an address of the unknown kind ${kind}`);
  }
}

/** Clients that send an IPv6 literal as a name. */
function bracketed(name: string): string {
  return name.includes(":") && !name.startsWith("[") ? `[${name}]` : name;
}

async function readExactly(client: Deno.TcpConn, length: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length;) {
    const count = await client.read(bytes.subarray(at));
    if (count === null) throw new Deno.errors.UnexpectedEof("the client ended during the handshake");
    at += count;
  }
  return bytes;
}
