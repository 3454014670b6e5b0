/** The other process of the RPC benchmark: `rpc_peer.ts <kind> <socket>`. */

import { createBirpc } from "npm:birpc@4.2.0";
import { RpcSession as CapnwebSession, RpcTarget } from "npm:capnweb@0.12.0";
import { exposeModule, PLUGIN_TARGET } from "../src/proxy/mod.ts";
import { RpcSession } from "../src/rpc/mod.ts";
import { socketTransport } from "../src/transport/mod.ts";
import { messagePort } from "./rpc_frames.ts";
import * as plugin from "./rpc_plugin.ts";

const [kind, path] = Deno.args as [string, string];
const connection = await Deno.connect({ transport: "unix", path });
const peers: Readonly<Record<string, () => Promise<void>>> = {
  raw: rawEcho,
  sink: () => byteSink(false),
  keep: () => byteSink(true),
  cordon: cordonPeer,
  capnweb: capnwebPeer,
  birpc: birpcPeer,
};
await peers[kind]!();

async function rawEcho(): Promise<void> {
  const buffer = new Uint8Array(65_536);
  for (;;) {
    const count = await connection.read(buffer);
    if (count === null) return;
    for (let at = 0; at < count;) at += await connection.write(buffer.subarray(at, count));
  }
}

/** Answers every MiB with a byte; `isKept` reads each into memory of its own, as a caller who keeps it needs. */
async function byteSink(isKept: boolean): Promise<void> {
  let buffer = new Uint8Array(1024 * 1024);
  const answer = new Uint8Array(1);
  for (let filled = 0;;) {
    const count = await connection.read(buffer.subarray(filled));
    if (count === null) return;
    filled += count;
    if (filled < buffer.length) continue;
    filled = 0;
    if (isKept) buffer = new Uint8Array(buffer.length);
    await connection.write(answer);
  }
}

async function cordonPeer(): Promise<void> {
  const session = new RpcSession(socketTransport(connection), { role: "guest", token: "bench" });
  exposeModule(session, PLUGIN_TARGET, plugin);
  await session.start();
  await session.closed;
}

async function capnwebPeer(): Promise<void> {
  class Target extends RpcTarget {
    echo(value: unknown): unknown {
      return value;
    }
  }
  const port = messagePort(connection);
  const closed = Promise.withResolvers<void>();
  const transport = {
    encodingLevel: "jsonCompatibleWithBytes" as const,
    send: (message: unknown) => port.send(message),
    receive: () => port.receive().catch((error) => (closed.resolve(), Promise.reject(error))),
  };
  new CapnwebSession(transport, new Target());
  await closed.promise;
}

async function birpcPeer(): Promise<void> {
  const port = messagePort(connection);
  const closed = port.receive;
  createBirpc({ echo: plugin.echo }, {
    post: (message: unknown) => port.send(message),
    on: (listener: (message: unknown) => void) => void (port.onMessage = listener),
  });
  await closed().catch(() => undefined);
}
