/**
 * Runs inside a network namespace of its own: tries every network API and prints what came of it as JSON lines.
 *
 * The last three arguments: path of the proxy's socket, the test authority's certificate, the host's port for a control.
 */

import { once } from "node:events";
import http from "node:http";
import http2 from "node:http2";
import https from "node:https";
import net from "node:net";
import tls from "node:tls";
import { installNetwork } from "../../src/guest/network.ts";

const [socketPath = "", ca = "", hostPort = ""] = Deno.args.slice(-3);
const allow = [
  "api.test:80",
  "api.test:443",
  "*.wild.test:443",
  "private.test:80",
  "gone.test:80",
  "93.184.215.14:443",
];
const request = "GET /plain HTTP/1.0\r\nHost: api.test\r\n\r\n";

await installNetwork({ socketPath, allow });
const client = Deno.createHttpClient({ caCerts: [ca] });
const trusting = { client } as RequestInit;

const cases: Readonly<Record<string, () => Promise<unknown>>> = {
  "fetch http": async () => await (await fetch("http://api.test/a")).text(),
  "fetch https": async () => await (await fetch("https://api.test/a", trusting)).text(),
  "fetch https by wildcard": async () => await (await fetch("https://a.wild.test/a", trusting)).text(),
  "fetch https by address": async () => await (await fetch("https://93.184.215.14/a", trusting)).text(),
  "fetch of another host": async () => await (await fetch("https://nope.test/")).text(),
  "fetch of a redirect to another host": async () => await (await fetch("http://api.test/redirect")).text(),
  "fetch of a private host": async () => await (await fetch("http://private.test/")).text(),
  "fetch of a host that is gone": async () => await (await fetch("http://gone.test/")).text(),
  "WebSocket ws": () => webSocket("ws://api.test/socket"),
  "WebSocket wss": () => webSocket("wss://api.test/socket", { client }),
  "WebSocket to another host": () => webSocket("ws://nope.test/socket"),
  "Deno.connect": async () => await exchange(await Deno.connect({ hostname: "API.test", port: 80 })),
  "Deno.connect to another port": async () =>
    await exchange(await Deno.connect({ hostname: "api.test", port: 22 })),
  "Deno.connect to a private host": async () =>
    await exchange(await Deno.connect({ hostname: "private.test", port: 80 })),
  "Deno.connect to a host that is gone": async () =>
    await exchange(await Deno.connect({ hostname: "gone.test", port: 80 })),
  "Deno.connectTls": async () =>
    await exchange(await Deno.connectTls({ hostname: "api.test", port: 443, caCerts: [ca] })),
  "Deno.connectTls to another host": async () =>
    await exchange(await Deno.connectTls({ hostname: "nope.test", port: 443, caCerts: [ca] })),
  "Deno.connectTls with the wrong name": async () => {
    const conn = await Deno.connectTls({ hostname: "b.wild.test", port: 443, caCerts: [ca] });
    try {
      await conn.handshake();
    } finally {
      conn.close();
    }
  },
  "Deno.connectTls with a client certificate": async () =>
    await exchange(
      await Deno.connectTls({ hostname: "api.test", port: 443, caCerts: [ca], cert: "c", key: "k" }),
    ),
  "Deno.startTls": async () => {
    const conn = await Deno.connect({ hostname: "api.test", port: 443 });
    return await exchange(await Deno.startTls(conn, { hostname: "api.test", caCerts: [ca] }));
  },
  "node:net": () => nodeExchange(net.connect(80, "api.test")),
  "node:net Socket.connect": () => nodeExchange(new net.Socket().connect({ port: 80, host: "api.test" })),
  "node:net to another host": () => nodeExchange(net.connect(80, "nope.test")),
  "node:net to a private host": () => nodeExchange(net.connect(80, "private.test")),
  "node:tls": () => nodeExchange(tls.connect(443, "api.test", { ca })),
  "node:tls by address": () => nodeExchange(tls.connect({ port: 443, host: "93.184.215.14", ca })),
  "node:http": () => nodeGet((done) => http.get("http://api.test/a", done)),
  "node:https": () => nodeGet((done) => https.get("https://api.test/a", { ca }, done)),
  "node:https to another host": () => nodeGet((done) => https.get("https://nope.test/a", { ca }, done)),
  "node:http2": async () => {
    const session = http2.connect("https://api.test", { ca });
    try {
      const stream = session.request({ ":path": "/a" });
      let text = "";
      stream.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
      await once(stream, "end");
      return text;
    } finally {
      session.close();
    }
  },
  "own loopback": async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const [conn, server] = await Promise.all([
      Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port }),
      listener.accept(),
    ]);
    for (const one of [conn, server, listener]) one.close();
    return "connected";
  },
  "the host's loopback": async () => {
    (await Deno.connect({ hostname: "127.0.0.1", port: Number(hostPort) })).close();
  },
  "the proxy's socket without the wrappers": async () => {
    const conn = await Deno.connect({ transport: "unix", path: socketPath });
    await conn.write(new TextEncoder().encode("connect nope.test:443\n"));
    return await readAll(conn);
  },
  "the SOCKS port without the wrappers": async () => {
    const conn = await Deno.connect({ hostname: "127.0.0.1", port: 1080 });
    const name = new TextEncoder().encode("nope.test");
    await conn.write(Uint8Array.of(5, 1, 0, 5, 1, 0, 3, name.length, ...name, 1, 187));
    return Array.from(await readAll(conn), (character) => character.charCodeAt(0)).join(" ");
  },
};

for (const [name, run] of Object.entries(cases)) {
  await print(JSON.stringify({ name, ...await outcome(run) }));
}
Deno.exit(0);

async function print(line: string): Promise<void> {
  await Deno.stdout.write(new TextEncoder().encode(`${line}\n`));
}

async function outcome(run: () => Promise<unknown>): Promise<object> {
  try {
    return { value: await run() };
  } catch (error) {
    if (!(error instanceof Error)) return { error: String(error) };
    return {
      error: error.name,
      message: error.message,
      ..."suggestion" in error ? { grant: error.suggestion } : {},
    };
  }
}

async function webSocket(url: string, options: object = {}): Promise<unknown> {
  const socket = new WebSocket(url, options as unknown as string[]);
  const { promise, resolve, reject } = Promise.withResolvers<unknown>();
  socket.onopen = () => socket.send("x");
  socket.onmessage = ({ data }) => resolve(data);
  socket.onerror = (event) => reject(event instanceof ErrorEvent ? event.error : new Error("failed"));
  try {
    return await promise;
  } finally {
    socket.close();
  }
}

async function exchange(conn: Deno.Conn): Promise<string> {
  await conn.write(new TextEncoder().encode(request));
  return (await readAll(conn)).split("\r\n\r\n")[1] ?? "";
}

async function readAll(conn: Deno.Conn): Promise<string> {
  let text = "";
  for await (const chunk of conn.readable) text += new TextDecoder().decode(chunk);
  return text;
}

async function nodeExchange(socket: net.Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk: Uint8Array) => text += new TextDecoder().decode(chunk));
  socket.write(request);
  await once(socket, "end");
  socket.destroy();
  return text.split("\r\n\r\n")[1] ?? "";
}

async function nodeGet(
  get: (done: (response: http.IncomingMessage) => void) => http.ClientRequest,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<http.IncomingMessage>();
  get(resolve).on("error", reject);
  const response = await promise;
  let text = "";
  for await (const chunk of response) text += new TextDecoder().decode(chunk as Uint8Array);
  return text;
}
