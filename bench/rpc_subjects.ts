/** What the RPC benchmark compares: each a small call to another process (or a Worker) and back. */

import { createBirpc } from "npm:birpc@4.2.0";
import { RpcSession as CapnwebSession } from "npm:capnweb@0.12.0";
import { type Remote as ComlinkRemote, wrap } from "npm:comlink@4.4.2";
import { createHost } from "../mod.ts";
import { remoteModule, sessionSource } from "../src/proxy/mod.ts";
import { RpcSession } from "../src/rpc/mod.ts";
import { socketTransport } from "../src/transport/mod.ts";
import { messagePort } from "./rpc_frames.ts";
import type * as BenchPlugin from "./rpc_plugin.ts";

/** One way to make a small call. */
export interface Subject extends AsyncDisposable {
  readonly name: string;
  /** The other process, if there is one. */
  readonly pid?: number;
  call(value: number): Promise<unknown>;
}

type Echo = { echo(value: unknown): unknown };
/** The benchmark's plugin through Cordon. */
export type BenchApi = ReturnType<typeof remoteModule<typeof BenchPlugin>>;

const exports = ["echo", "size", "rows"].map((name) => ({ name, kind: "function" as const }));

/** @returns A connection to a fresh process of `rpc_peer.ts`, which ends with the connection. */
export async function connectedPeer(kind: string): Promise<Deno.Conn> {
  return (await startedPeer(kind)).connection;
}

async function startedPeer(kind: string): Promise<{ readonly connection: Deno.Conn; readonly pid: number }> {
  const directory = await Deno.makeTempDir();
  const path = `${directory}/s`;
  const listener = Deno.listen({ transport: "unix", path });
  const script = new URL("rpc_peer.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), { args: ["run", "-A", script, kind, path] }).spawn();
  child.unref();
  const connection = await listener.accept();
  listener.close();
  await Deno.remove(directory, { recursive: true });
  return { connection, pid: child.pid };
}

/** @returns Frames of the size of a small call, echoed: what everything else is measured against. */
export async function rawSubject(): Promise<Subject> {
  const connection = await connectedPeer("raw");
  const frame = new Uint8Array(24);
  const buffer = new Uint8Array(65_536);
  const waiting: (() => void)[] = [];
  const reading = (async () => {
    for (let rest = 0;;) {
      const count = await connection.read(buffer);
      if (count === null) return;
      for (rest += count; rest >= frame.length; rest -= frame.length) waiting.shift()!();
    }
  })().catch(() => undefined);
  return {
    name: "raw socket echo",
    call: async () => {
      // A read is always open, as it is in every library.
      const answer = new Promise<void>((resolve) => waiting.push(resolve));
      await connection.write(frame);
      await answer;
    },
    async [Symbol.asyncDispose]() {
      connection.close();
      await reading;
    },
  };
}

/** @returns A session with a plain process, and its plugin. */
export async function cordonSubject(): Promise<Subject & { readonly api: BenchApi }> {
  const { connection, pid } = await startedPeer("cordon");
  const session = new RpcSession(socketTransport(connection), {
    role: "host",
    token: "bench",
  });
  await session.start();
  const api = remoteModule<typeof BenchPlugin>(sessionSource(session, "plugin", exports));
  return {
    name: "cordon, plain process",
    pid,
    api,
    call: api.echo,
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
}

/** @returns A plugin behind every layer. */
export async function sandboxSubject(): Promise<Subject & { readonly api: BenchApi }> {
  const host = await createHost();
  let pid = 0;
  host.on("ready", (event) => pid = lastDescendant(event.pid));
  const plugin = await host.load<typeof BenchPlugin>(new URL("rpc_plugin.ts", import.meta.url).pathname);
  const api = plugin.api as BenchApi;
  return {
    name: "cordon, in the sandbox",
    pid,
    api,
    call: api.echo,
    [Symbol.asyncDispose]: () => host[Symbol.asyncDispose](),
  };
}

/** The plugin itself, below those who guard it. */
function lastDescendant(pid: number): number {
  const [child] = Deno.readTextFileSync(`/proc/${pid}/task/${pid}/children`).trim().split(" ");
  return child === undefined || child === "" ? pid : lastDescendant(Number(child));
}

/** @returns capnweb over Cordon's transport. */
export async function capnwebSubject(): Promise<Subject> {
  const port = messagePort(await connectedPeer("capnweb"));
  const session = new CapnwebSession<Echo>({
    encodingLevel: "jsonCompatibleWithBytes" as const,
    send: (message: unknown) => port.send(message),
    receive: () => port.receive(),
  });
  const stub = session.getRemoteMain() as unknown as { echo(value: number): Promise<unknown> };
  return {
    name: "capnweb",
    call: (value) => stub.echo(value),
    [Symbol.asyncDispose]: () => Promise.resolve(port.close()),
  };
}

/** @returns birpc over Cordon's transport. */
export async function birpcSubject(): Promise<Subject> {
  const port = messagePort(await connectedPeer("birpc"));
  const rpc = createBirpc<Echo>({}, {
    post: (message: unknown) => port.send(message),
    on: (listener: (message: unknown) => void) => void (port.onMessage = listener),
  });
  return {
    name: "birpc",
    call: async (value) => await rpc.echo(value),
    [Symbol.asyncDispose]: () => Promise.resolve(port.close()),
  };
}

/** @returns comlink over a Worker: no process, no sandbox. */
export function comlinkSubject(): Promise<Subject> {
  const worker = new Worker(new URL("rpc_worker.ts", import.meta.url), { type: "module" });
  const remote: ComlinkRemote<Echo> = wrap<Echo>(worker);
  return Promise.resolve({
    name: "comlink, Worker",
    call: async (value: number) => await remote.echo(value),
    [Symbol.asyncDispose]: () => Promise.resolve(worker.terminate()),
  });
}
