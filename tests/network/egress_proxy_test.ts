/** Checks the egress proxy from the plugin's side of its socket, with servers on loopback only. */

import assert from "node:assert/strict";
import { startEgressProxy } from "../../src/network/egress_proxy.ts";
import { until } from "../rpc/until.ts";
import { connector, echoed, fakeClock, harness, resolver } from "./egress_harness.ts";

Deno.test("startEgressProxy() carries bytes to a listed loopback literal and audits it", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"] });
  const { answer, conn } = await h.ask(`127.0.0.1:${h.port}`);
  assert.equal(answer, "ok\n");
  assert.equal(await echoed(conn, "hello"), "hello\n");
  assert.deepEqual({ ...h.decisions[0], at: 0 }, {
    at: 0,
    target: `127.0.0.1:${h.port}`,
    outcome: "allowed",
    address: "127.0.0.1",
    reason: "it is listed",
    suggestion: null,
    count: 1,
  });
  assert.deepEqual(h.proxy.usage, { connections: 1, bytes: 12, denied: 0 });
});

Deno.test("startEgressProxy() with an empty list denies everything, with the line to add", async () => {
  await using h = await harness({ allow: [] });
  const { answer } = await h.ask(`127.0.0.1:${h.port}`);
  assert.equal(answer, "denied it is not in the plugin's list\n");
  assert.equal(h.decisions[0]?.suggestion, `permissions: { net: ["127.0.0.1:${h.port}"] }`);
  assert.equal(h.proxy.usage.denied, 1);
});

Deno.test("startEgressProxy() passes the end of either side's stream on to the other", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"] });
  const { conn } = await h.ask(`127.0.0.1:${h.port}`);
  await conn.closeWrite();
  assert.equal(await conn.read(new Uint8Array(1)), null);
  await until(() => h.proxy.usage.connections === 0);
});

Deno.test("startEgressProxy() connects to the address that it checked and resolves only once", async () => {
  const resolve = resolver({ "api.test": ["93.184.215.14", "93.184.215.15"] });
  let port = 0;
  const connect = connector(() => port);
  await using h = await harness({ allow: ["api.test:443"], resolve, connect });
  port = h.port;
  const { answer, conn } = await h.ask("API.test:443");
  assert.equal(answer, "ok\n");
  assert.equal(await echoed(conn, "x"), "x\n");
  assert.deepEqual(resolve.asked, ["api.test"]);
  assert.deepEqual(connect.connected, ["93.184.215.14 443"]);
});

Deno.test("startEgressProxy() tries the next address when the first refuses", async () => {
  const connected: string[] = [];
  let port = 0;
  await using h = await harness({
    allow: ["api.test:443"],
    resolve: resolver({ "api.test": ["2606:4700::1", "93.184.215.14"] }),
    connect: async (address) => {
      connected.push(address);
      if (connected.length === 1) throw new Deno.errors.ConnectionRefused("refused");
      return await Deno.connect({ hostname: "127.0.0.1", port });
    },
  });
  port = h.port;
  assert.equal((await h.ask("api.test:443")).answer, "ok\n");
  assert.deepEqual(connected, ["2606:4700::1", "93.184.215.14"]);
});

const notPublic = [
  "10.1.2.3",
  "127.0.0.1",
  "169.254.169.254",
  "100.64.0.1",
  "::1",
  "fe80::1",
  "fd00::1",
  "::ffff:127.0.0.1",
  "64:ff9b::a9fe:a9fe",
  "224.0.0.1",
  "0.0.0.0",
  "168.63.129.16",
];

for (const address of notPublic) {
  Deno.test(`startEgressProxy() denies a listed name that resolves to ${address}, without telling the address`, async () => {
    const connect = connector(() => 1);
    await using h = await harness({
      allow: ["api.test:443"],
      resolve: resolver({ "api.test": [address] }),
      connect,
    });
    const { answer } = await h.ask("api.test:443");
    assert.equal(answer, "denied it leads to an address that is not public and not listed\n");
    assert.deepEqual(connect.connected, []);
    assert.equal(h.decisions[0]?.outcome, "denied");
    assert.match(h.decisions[0]?.reason ?? "", /is not public \(/);
  });
}

Deno.test("startEgressProxy() never dials the private one of a mixed answer", async () => {
  const connected: string[] = [];
  await using h = await harness({
    allow: ["api.test:443"],
    resolve: resolver({ "api.test": ["10.0.0.1", "93.184.215.14", "127.0.0.1"] }),
    connect: (address) => {
      connected.push(address);
      return Promise.reject(new Error("unreachable"));
    },
  });
  assert.equal((await h.ask("api.test:443")).answer, "failed unreachable\n");
  assert.deepEqual(connected, ["93.184.215.14"]);
});

Deno.test("startEgressProxy() checks the answer of every connection: a name that is rebound is denied then", async () => {
  const answers = [["93.184.215.14"], ["127.0.0.1"]];
  let port = 0;
  const connect = connector(() => port);
  await using h = await harness({
    allow: ["api.test:443"],
    resolve: () => Promise.resolve(answers.shift() ?? []),
    connect,
  });
  port = h.port;
  assert.equal((await h.ask("api.test:443")).answer, "ok\n");
  assert.equal(
    (await h.ask("api.test:443")).answer,
    "denied it leads to an address that is not public and not listed\n",
  );
  assert.deepEqual(connect.connected, ["93.184.215.14 443"]);
});

Deno.test("startEgressProxy() lets a listed name lead to a private address if that address and port are listed", async () => {
  let port = 0;
  const connect = connector(() => port);
  await using h = await harness({
    allow: ["db.test:5432", "10.0.0.1:5432"],
    resolve: resolver({ "db.test": ["10.0.0.1"] }),
    connect,
  });
  port = h.port;
  assert.equal((await h.ask("db.test:5432")).answer, "ok\n");
  assert.deepEqual(connect.connected, ["10.0.0.1 5432"]);
});

Deno.test("startEgressProxy() denies literals of metadata services and embedded IPv4 in every notation", async () => {
  await using h = await harness({ allow: ["169.254.169.254.example.com:80", "127.0.0.1:PORT"] });
  for (
    const host of ["169.254.169.254", "[::ffff:169.254.169.254]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"]
  ) {
    assert.equal((await h.ask(`${host}:${h.port}`)).answer, "denied it is not in the plugin's list\n", host);
  }
  for (const host of ["2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "127.1"]) {
    assert.equal(
      (await h.ask(`${host}:${h.port}`)).answer,
      "denied it is not strictly a host and a port\n",
      host,
    );
  }
  assert.equal((await h.ask(`127.0.0.1:${h.port}`)).answer, "ok\n");
});

Deno.test("startEgressProxy() denies a request that hides a second one, and shows it escaped", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"] });
  const sneaky = [
    `127.0.0.1:${h.port}\nconnect evil.test:80`,
    `127.0.0.1:${h.port}\0`,
    `127.0.0.1:${h.port}\r`,
    `evil\x1b[2J:1`,
  ];
  for (const target of sneaky) {
    assert.equal((await h.ask(target)).answer, "denied it is not strictly a host and a port\n");
  }
  assert.equal(h.decisions.at(-1)?.target, "evil\\u{1b}[2J:1");
});

Deno.test("startEgressProxy() says when a name does not resolve, and when nothing listens", async () => {
  const closed = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = closed.addr as Deno.NetAddr;
  closed.close();
  await using h = await harness({
    allow: ["gone.test:1", "broken.test:1", `127.0.0.1:${port}`],
    resolve: (host) =>
      host === "gone.test" ? Promise.resolve([]) : Promise.reject(new Error("server is down")),
  });
  assert.equal((await h.ask("gone.test:1")).answer, "failed its name has no address\n");
  assert.equal((await h.ask("broken.test:1")).answer, "failed its name cannot be resolved\n");
  assert.match((await h.ask(`127.0.0.1:${port}`)).answer, /^failed Connection refused/);
  assert.equal(h.decisions[1]?.reason, "its name cannot be resolved: server is down");
});

Deno.test("startEgressProxy() uses the system's resolver by default, and localhost is not public", async () => {
  await using h = await harness({ allow: ["localhost:PORT"] });
  assert.equal(
    (await h.ask(`localhost:${h.port}`)).answer,
    "denied it leads to an address that is not public and not listed\n",
  );
});

Deno.test("startEgressProxy() bounds connections open at once and takes new ones when old ones end", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"], limits: { maxConnections: 1 } });
  const first = await h.ask(`127.0.0.1:${h.port}`);
  assert.equal(first.answer, "ok\n");
  assert.equal((await h.ask(`127.0.0.1:${h.port}`)).answer, "denied 1 connections are open already\n");
  first.conn.closeWrite();
  await until(() => h.proxy.usage.connections === 0);
  assert.equal((await h.ask(`127.0.0.1:${h.port}`)).answer, "ok\n");
});

Deno.test("startEgressProxy() closes connections unheard when too many wait, so that descriptors stay bounded", async () => {
  await using h = await harness({ allow: [], limits: { maxConnections: 1 } });
  const conns: Deno.UnixConn[] = [];
  for (let n = 0; n < 20; n++) {
    conns.push(await Deno.connect({ transport: "unix", path: h.proxy.socketPath }));
  }
  await until(() => h.proxy.usage.denied === 3);
  assert.equal(h.proxy.usage.connections, 17);
  assert.deepEqual(h.decisions.map(({ target, reason }) => [target, reason]), [
    ["*", "too many connections wait for an answer"],
  ]);
  for (const conn of conns) conn.close();
});

Deno.test("startEgressProxy() ends a connection that passes the byte budget and denies later ones", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"], limits: { maxBytes: 100 } });
  const { conn } = await h.ask(`127.0.0.1:${h.port}`);
  assert.equal(await echoed(conn, "x".repeat(48)), `${"x".repeat(48)}\n`);
  await assert.rejects(async () => {
    for (let n = 0; n < 100; n++) {
      assert.notEqual(await echoed(conn, "x".repeat(48)), "", "the connection ended");
    }
  });
  assert.ok(h.proxy.usage.bytes < 400, `${h.proxy.usage.bytes} bytes`);
  assert.match((await h.ask(`127.0.0.1:${h.port}`)).answer, /^denied the budget of 100 bytes is used up/);
});

Deno.test("startEgressProxy() closes a connection that was idle for too long, and only then", async () => {
  const clock = fakeClock();
  await using h = await harness({ allow: ["127.0.0.1:PORT"], limits: { idleMs: 1_000 }, clock });
  const { conn } = await h.ask(`127.0.0.1:${h.port}`);
  await until(() => clock.pending() === 1);
  clock.advance(900);
  assert.equal(await echoed(conn, "alive"), "alive\n");
  clock.advance(900);
  assert.equal(await echoed(conn, "still"), "still\n");
  clock.advance(1_000);
  assert.equal(await conn.read(new Uint8Array(1)), null);
  await until(() => clock.pending() === 0);
});

Deno.test("startEgressProxy() closes a connection that never asks, and gives up on one that never connects", async () => {
  const clock = fakeClock();
  const connecting = Promise.withResolvers<void>();
  await using h = await harness({
    allow: ["93.184.215.14:443"],
    limits: { connectMs: 1_000 },
    clock,
    connect: (_address, _port, signal) => {
      connecting.resolve();
      return new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));
    },
  });
  const silent = await Deno.connect({ transport: "unix", path: h.proxy.socketPath });
  await until(() => clock.pending() === 1);
  clock.advance(1_000);
  assert.equal(await silent.read(new Uint8Array(1)), null);
  silent.close();
  const asked = h.ask("93.184.215.14:443");
  await connecting.promise;
  clock.advance(1_000);
  assert.equal((await asked).answer, "failed it took too long\n");
});

Deno.test("startEgressProxy() dials nothing more when the time to connect is over", async () => {
  const clock = fakeClock();
  const [resolving, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<readonly string[]>()];
  const connected: string[] = [];
  await using h = await harness({
    allow: ["slow.test:1", "api.test:1"],
    limits: { connectMs: 1_000 },
    clock,
    resolve: (host) => {
      if (host === "api.test") return Promise.resolve(["93.184.215.14", "93.184.215.15"]);
      resolving.resolve();
      return answer.promise;
    },
    connect: (address) => {
      connected.push(address);
      clock.advance(1_000);
      return Promise.reject(new Error("unreachable"));
    },
  });
  assert.equal((await h.ask("api.test:1")).answer, "failed it took too long\n");
  assert.deepEqual(connected, ["93.184.215.14"]);
  const asked = h.ask("slow.test:1");
  await resolving.promise;
  clock.advance(1_000);
  answer.resolve(["93.184.215.14"]);
  assert.equal((await asked).answer, "failed it took too long\n");
  assert.deepEqual(connected, ["93.184.215.14"]);
});

Deno.test("startEgressProxy() reports equal decisions the 1st, 10th and 100th time", async () => {
  await using h = await harness({ allow: [] });
  for (let n = 0; n < 100; n++) (await h.ask("evil.test:80")).conn.closeWrite();
  assert.deepEqual(h.decisions.map(({ count }) => count), [1, 10, 100]);
  assert.equal(h.proxy.usage.denied, 100);
});

Deno.test("EgressProxy disposal ends open connections, removes the socket and can be repeated", async () => {
  await using h = await harness({ allow: ["127.0.0.1:PORT"] });
  const { conn } = await h.ask(`127.0.0.1:${h.port}`);
  const ended = conn.read(new Uint8Array(1));
  await h.proxy[Symbol.asyncDispose]();
  assert.equal(await ended, null);
  await assert.rejects(Deno.lstat(h.proxy.socketPath), Deno.errors.NotFound);
  assert.equal(h.proxy.usage.connections, 0);
});

Deno.test("EgressProxy disposal closes a connection that is made only then", async () => {
  const [connecting, goOn] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const made = Promise.withResolvers<Deno.Conn>();
  let port = 0;
  await using h = await harness({
    allow: ["93.184.215.14:443"],
    connect: async () => {
      connecting.resolve();
      await goOn.promise;
      const conn = await Deno.connect({ hostname: "127.0.0.1", port });
      made.resolve(conn);
      return conn;
    },
  });
  port = h.port;
  const asked = h.ask("93.184.215.14:443");
  await connecting.promise;
  const disposed = h.proxy[Symbol.asyncDispose]();
  goOn.resolve();
  await disposed;
  assert.equal((await asked).answer, "");
  await assert.rejects((await made.promise).write(new Uint8Array(1)), Deno.errors.BadResource);
});

Deno.test("startEgressProxy() makes a socket that only its owner may use", async () => {
  await using h = await harness({ allow: [] });
  assert.equal((await Deno.lstat(h.proxy.socketPath)).mode! & 0o777, 0o600);
});

Deno.test("startEgressProxy() refuses a list that it cannot read, before it listens", async () => {
  const directory = await Deno.makeTempDir();
  const socketPath = `${directory}/net.sock`;
  await assert.rejects(startEgressProxy({ socketPath, allow: ["example.com"], audit: () => {} }), {
    name: "TypeError",
    message: 'Cannot allow "example.com" as it is not a host and a port',
  });
  // It would not be empty.
  await Deno.remove(directory);
});
