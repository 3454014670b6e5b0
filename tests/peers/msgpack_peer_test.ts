import assert from "node:assert/strict";
import { remoteModule, sessionSource } from "../../src/proxy/mod.ts";
import { RpcSession } from "../../src/rpc/mod.ts";
import { socketTransport } from "../../src/transport/mod.ts";
import { until } from "../rpc/until.ts";

interface PythonPlugin {
  echo(value: unknown): unknown;
  fail(): void;
  hang(): void;
  ask_host(question: string): [string, string];
  apply(callback: (value: number) => number, value: number): number;
  count(items: number): AsyncGenerator<number>;
  sum(items: AsyncIterable<number>): number;
  watch(signal: AbortSignal): unknown;
}

/** A session whose guest is the Python peer. */
interface PythonPeer extends AsyncDisposable {
  readonly session: RpcSession;
  readonly api: ReturnType<typeof remoteModule<PythonPlugin>>;
  readonly status: Promise<Deno.CommandStatus>;
}

// Debian's module is installed for Debian's interpreter, which need not be the first in PATH.
const python = ["/usr/bin/python3", "python3"].find(hasMsgpack);
const missing = python === undefined ? " [skipped: no python3 with a msgpack module (python3-msgpack)]" : "";

function hasMsgpack(interpreter: string): boolean {
  try {
    return new Deno.Command(interpreter, { args: ["-c", "import msgpack"], stderr: "null" }).outputSync()
      .success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

async function pythonPeer(): Promise<PythonPeer> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-peer-" });
  const path = `${directory}/s`;
  const listener = Deno.listen({ transport: "unix", path });
  const script = new URL("msgpack_peer.py", import.meta.url).pathname;
  const child = new Deno.Command(python ?? "python3", { args: [script, path, "token"], stdout: "null" })
    .spawn();
  const connection = await listener.accept();
  listener.close();
  await Deno.remove(directory, { recursive: true });
  const session = new RpcSession(socketTransport(connection), {
    role: "host",
    token: "token",
    name: "python",
  });
  session.expose("clock", new Map([["now", (question: string) => `${question} twelve`]]));
  const hello = await session.start();
  assert.deepEqual(hello.runtime, { language: "python" });
  assert.equal(hello.limits.maxFrameBytes, 1 << 20);
  const exports = await session.load({ entry: "main.py" });
  return {
    session,
    api: remoteModule<PythonPlugin>(sessionSource(session, "plugin", exports)),
    status: child.status,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      await child.status;
    },
  };
}

function pythonTest(name: string, body: (peer: PythonPeer) => Promise<void>): void {
  Deno.test({
    name: `A peer in Python ${name}${missing}`,
    ignore: python === undefined,
    fn: async () => {
      await using peer = await pythonPeer();
      await body(peer);
    },
  });
}

pythonTest("echoes every value exactly", async ({ api }) => {
  const values = [
    [null, undefined, true, 0, -0, 1.5, NaN, 2 ** 40, -1, "ä€😀", "\ud800", -(2n ** 70n)],
    {
      date: new Date(5),
      map: new Map([["a", new Set([1])]]),
      pattern: /x/g,
      url: new URL("https://example.com/"),
    },
    [new Uint8Array([1, 2]), new Float32Array([0.5]), new Uint8Array([3]).buffer],
    new RangeError("far", { cause: "near" }),
    // deno-lint-ignore no-sparse-arrays
    [, 1],
  ];
  for (const value of values) assert.deepEqual(await api.echo(value), value);
});

pythonTest("fails with an error of a listed class", async ({ api }) => {
  const error = await api.fail().catch((error: unknown) => error);
  assert.ok(error instanceof RangeError);
  assert.equal(error.message, "from python");
});

pythonTest("calls a service of the host while it is called", async ({ api }) => {
  assert.deepEqual(await api.ask_host("time?"), ["host said", "time? twelve"]);
});

pythonTest("calls a callback and releases it", async ({ api, session }) => {
  assert.equal(await api.apply((value) => value * 2, 21), 42);
  assert.equal(session.stats().exported, 0);
});

pythonTest("writes a stream within its credit", async ({ api, session }) => {
  let next = 0;
  for await (const item of api.count(100)) assert.equal(item, next++);
  assert.equal(next, 100);
  assert.equal(session.stats().streamsIn, 0);
});

pythonTest("stops a stream that the host leaves", async ({ api, session }) => {
  const stopped = Promise.withResolvers<unknown>();
  session.on("stopped", stopped.resolve);
  for await (const item of api.count(1000)) if (item === 2) break;
  assert.equal(await stopped.promise, 1);
  await until(() => session.stats().streamsIn === 0);
});

pythonTest("reads a stream of the host", async ({ api }) => {
  const items = async function* () {
    for (let item = 1; item <= 100; item++) yield await Promise.resolve(item);
  };
  assert.equal(await api.sum(items()), 5050);
});

pythonTest("is told when a call is cancelled", async ({ session }) => {
  const cancelled = Promise.withResolvers<unknown>();
  session.on("cancelled", cancelled.resolve);
  const controller = new AbortController();
  const call = session.call("plugin", "hang", [], { signal: controller.signal });
  await session.ping();
  controller.abort("enough");
  await assert.rejects(call, (error) => error === "enough");
  assert.equal(typeof await cancelled.promise, "number");
  await until(() => session.stats().pendingOut === 0);
});

pythonTest("hears of a signal among its arguments, before and during a call", async ({ api, session }) => {
  assert.equal(await api.watch(AbortSignal.abort("early")), "early");
  const controller = new AbortController();
  const call = api.watch(controller.signal);
  await session.ping();
  controller.abort({ why: "enough" });
  assert.deepEqual(await call, { why: "enough" });
  assert.equal(session.stats().signalsOut, 0);
});

pythonTest("carries a megabyte each way", async ({ api }) => {
  const bytes = Uint8Array.from({ length: 1_000_000 }, (_, index) => index * 7);
  assert.deepEqual(await api.echo(bytes), bytes);
});

pythonTest("says goodbye with its exit code", async ({ session, status }) => {
  assert.equal(await session.shutdown(10_000), 42);
  assert.equal((await status).code, 42);
});
