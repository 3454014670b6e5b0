/** A proxy, an echo server on loopback and a plugin's side, for tests of the egress proxy. */

import { startEgressProxy } from "../../src/network/egress_proxy.ts";
import type { Connect, EgressDecision, EgressProxyOptions, Resolve } from "../../src/network/types.ts";
import type { Clock } from "../../src/util/clock.ts";
import { writeAll } from "../../src/util/copy_bytes.ts";

export interface Harness extends AsyncDisposable {
  readonly decisions: EgressDecision[];
  readonly proxy: Awaited<ReturnType<typeof startEgressProxy>>;
  /** Port of a server on loopback that sends back what it gets. */
  readonly port: number;
  /** Connect to the proxy, ask, and return its answer together with the open connection. */
  ask(target: string): Promise<{ answer: string; conn: Deno.UnixConn }>;
}

/** The echo server's port stands for `PORT` in `allow`. */
export async function harness(
  options: Partial<EgressProxyOptions> & { allow: readonly string[] },
): Promise<Harness> {
  const directory = await Deno.makeTempDir();
  const echo = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const echoing = echoAll(echo);
  const { port } = echo.addr as Deno.NetAddr;
  const decisions: EgressDecision[] = [];
  const socketPath = `${directory}/net.sock`;
  const proxy = await startEgressProxy({
    socketPath,
    audit: (decision) => decisions.push(decision),
    ...options,
    allow: options.allow.map((entry) => entry.replace("PORT", String(port))),
  });
  const conns: Deno.UnixConn[] = [];
  return {
    decisions,
    proxy,
    port,
    ask: async (target) => {
      const conn = await Deno.connect({ transport: "unix", path: socketPath });
      conns.push(conn);
      await writeAll(conn, new TextEncoder().encode(`connect ${target}\n`));
      return { answer: await readLine(conn), conn };
    },
    [Symbol.asyncDispose]: async () => {
      for (const conn of conns) conn.close();
      await proxy[Symbol.asyncDispose]();
      echo.close();
      await echoing;
      await Deno.remove(directory, { recursive: true });
    },
  };
}

async function echoAll(listener: Deno.Listener): Promise<void> {
  const open: Promise<void>[] = [];
  for await (const conn of listener) open.push(conn.readable.pipeTo(conn.writable).catch(() => undefined));
  await Promise.all(open);
}

async function readLine(conn: Deno.Conn): Promise<string> {
  const byte = new Uint8Array(1);
  let line = "";
  while (!line.endsWith("\n")) {
    if (await conn.read(byte) === null) return line;
    line += String.fromCharCode(byte[0]!);
  }
  return line;
}

export async function echoed(conn: Deno.Conn, text: string): Promise<string> {
  await writeAll(conn, new TextEncoder().encode(`${text}\n`));
  return await readLine(conn);
}

/** Answers from a table; records what was asked. */
export function resolver(table: Readonly<Record<string, readonly string[]>>): Resolve & { asked: string[] } {
  const asked: string[] = [];
  const resolve = (host: string) => {
    asked.push(host);
    return Promise.resolve(table[host] ?? []);
  };
  return Object.assign(resolve, { asked });
}

/** Sends every connection to a local port, and records the addresses that were to be connected. */
export function connector(port: () => number): Connect & { connected: string[] } {
  const connected: string[] = [];
  const connect: Connect = async (address, asked) => {
    connected.push(`${address} ${asked}`);
    return await Deno.connect({ hostname: "127.0.0.1", port: port() });
  };
  return Object.assign(connect, { connected });
}

/** A clock that a test turns; timers fire in `advance()`. */
export function fakeClock(): Clock & { advance(ms: number): void; pending(): number } {
  let now = 0;
  const timers = new Set<{ at: number; callback: () => void }>();
  return {
    now: () => now,
    after: (delayMs, callback) => {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: (ms) => {
      now += ms;
      for (const timer of [...timers].filter(({ at }) => at <= now)) {
        timers.delete(timer);
        timer.callback();
      }
    },
    pending: () => timers.size,
  };
}
