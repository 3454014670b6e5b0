import assert from "node:assert/strict";
import { DisposedError, PluginCrashedError, ProtocolError } from "../../src/errors.ts";
import { RpcSession } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { type FrameReceiver, type FrameTransport, memoryTransportPair } from "../../src/transport/mod.ts";
import { payload } from "./raw_peer.ts";
import { type Joint, sessionPair, socketTransportPair } from "./session_pair.ts";

for (const joint of ["memory", "socket"] as const satisfies readonly Joint[]) {
  Deno.test(`RpcSession.call() returns what the peer's function returns, both ways, over ${joint}`, async () => {
    await using pair = await sessionPair({}, joint);
    const add = new Map([["add", (a: number, b: number) => a + b]]);
    pair.host.expose("math", add);
    pair.guest.expose("math", add);
    assert.equal(await pair.host.call("math", "add", [1, 2]), 3);
    assert.equal(await pair.guest.call("math", "add", [3, 4]), 7);
  });

  Deno.test(`RpcSession.call() answers out of order over ${joint}`, async () => {
    await using pair = await sessionPair({}, joint);
    const gates = [Promise.withResolvers<string>(), Promise.withResolvers<string>()];
    pair.guest.expose("gate", new Map([["wait", (index: number) => gates[index]!.promise]]));
    const order: string[] = [];
    const first = pair.host.call("gate", "wait", [0]).then((value) => order.push(String(value)));
    const second = pair.host.call("gate", "wait", [1]).then((value) => order.push(String(value)));
    gates[1]!.resolve("second");
    await second;
    gates[0]!.resolve("first");
    await first;
    assert.deepEqual(order, ["second", "first"]);
  });

  Deno.test(`RpcSession.load() gives the exports, and shutdown() the exit code, over ${joint}`, async () => {
    const seen: unknown[] = [];
    await using pair = await sessionPair({
      guest: {
        runtime: { deno: "2" },
        onLoad: (spec) => {
          seen.push(spec);
          return Promise.resolve([{ name: "run", kind: "function" }]);
        },
        onShutdown: (graceMs) => Promise.resolve(graceMs + 1),
      },
    }, joint);
    const exports = await pair.host.load({ entry: "/app/plugin/main.js", services: [], extra: new Date(0) });
    assert.deepEqual(exports, [{ name: "run", kind: "function" }]);
    assert.deepEqual(seen, [{ entry: "/app/plugin/main.js", services: [], extra: new Date(0) }]);
    assert.equal(await pair.host.shutdown(1000), 1001);
    await assert.rejects(pair.host.call("x", "y", []), DisposedError);
  });

  Deno.test(`RpcSession.load() rejects with what loading threw over ${joint}`, async () => {
    await using pair = await sessionPair({
      guest: { onLoad: () => Promise.reject(new SyntaxError("bad module")) },
    }, joint);
    await assert.rejects(pair.host.load({ entry: "/x" }), { name: "SyntaxError", message: "bad module" });
  });

  Deno.test(`RpcSession rejects everything pending with onPeerClosed's error over ${joint}`, async () => {
    const crash = new PluginCrashedError("it died", { reason: "signal", signal: "SIGKILL" });
    const reason = Promise.withResolvers<Error>();
    await using pair = await sessionPair({ host: { onPeerClosed: () => reason.promise } }, joint);
    pair.guest.expose("never", new Map([["answer", () => new Promise(() => {})]]));
    const calls = [1, 2, 3].map(() => pair.host.call("never", "answer", []));
    const failures = Promise.allSettled(calls);
    pair.guest.close();
    await pair.guest.closed;
    reason.resolve(crash);
    for (const result of await failures) assert.equal(result.status === "rejected" && result.reason, crash);
    assert.equal(await pair.host.closed, crash);
  });
}

Deno.test("RpcSession rejects everything pending within one tick of the close", async () => {
  let receiver: FrameReceiver | undefined;
  const [, wire] = memoryTransportPair();
  const counters = wire.counters;
  const transport: FrameTransport = {
    start: (given) => void (receiver = given),
    send: () => {},
    queuedBytes: 0,
    counters,
    drained: () => Promise.resolve(),
    flushed: () => Promise.resolve(),
    close: () => {},
  };
  const session = new RpcSession(transport, { role: "host", token: "t" });
  const started = session.start();
  receiver!.onFrame(payload([Kind.hello, 1, "t", {}, {}]));
  await started;
  let rejected = 0;
  for (let call = 0; call < 1000; call++) session.call("never", "answers", []).catch(() => rejected++);
  const stream = session.stream("never", "answers", []).next().catch(() => rejected++);
  receiver!.onClosed(null);
  await new Promise((resolve) => setTimeout(resolve, 0));
  assert.equal(rejected, 1001);
  await stream;
});

Deno.test("RpcSession.start() gives both sides what the other said", async () => {
  const [left, right] = memoryTransportPair();
  await using host = new RpcSession(left, { role: "host", token: "t", limits: { maxInFlight: 7 } });
  await using guest = new RpcSession(right, { role: "guest", token: "t", runtime: { deno: "2.9" } });
  const [atHost, atGuest] = await Promise.all([host.start(), guest.start()]);
  assert.equal(atHost.version, 1);
  assert.deepEqual(atHost.runtime, { deno: "2.9" });
  assert.equal(atGuest.limits.maxInFlight, 7);
});

Deno.test("RpcSession.start() rejects a wrong token on both sides", async () => {
  const [left, right] = memoryTransportPair();
  const host = new RpcSession(left, { role: "host", token: "right" });
  const guest = new RpcSession(right, { role: "guest", token: "wrong" });
  const [atHost, atGuest] = await Promise.allSettled([host.start(), guest.start()]);
  assert.ok(atHost.status === "rejected" && atHost.reason instanceof ProtocolError);
  assert.match(atHost.reason.message, /the token must be/);
  assert.ok(atGuest.status === "rejected" && atGuest.reason instanceof ProtocolError);
  assert.match(atGuest.reason.message, /refused: Cannot begin a session as the token/);
});

Deno.test("RpcSession.start() closes when its signal aborts", async () => {
  const [left] = memoryTransportPair();
  const host = new RpcSession(left, { role: "host", token: "t" });
  const controller = new AbortController();
  const started = host.start(controller.signal);
  controller.abort(new Error("enough"));
  await assert.rejects(started, { message: "enough" });
  assert.equal(host.state, "closed");
  await host.closed;
});

Deno.test("RpcSession.start() closes what it was given when its signal has aborted before", async () => {
  const [left, right] = await socketTransportPair();
  await using host = new RpcSession(left, { role: "host", token: "t" });
  const error = new Error("enough");
  await assert.rejects(host.start(AbortSignal.abort(error)), (thrown) => thrown === error);
  assert.equal(host.state, "closed");
  const ended = Promise.withResolvers<Error | null>();
  right.start({ onFrame: () => {}, onClosed: ended.resolve });
  assert.equal(await ended.promise, null);
});

Deno.test("RpcSession.shutdown() gives null when the guest stays silent", async () => {
  await using pair = await sessionPair({ guest: { onShutdown: () => new Promise(() => {}) } });
  assert.equal(await pair.host.shutdown(1), null);
});

Deno.test("RpcSession.goodbye() out of the blue reaches onGoodbye and is a crash for pending calls", async () => {
  const codes: number[] = [];
  const crash = new PluginCrashedError("exited", { reason: "exit-code", exitCode: 3 });
  await using pair = await sessionPair({
    host: { onGoodbye: (code) => codes.push(code), onPeerClosed: () => Promise.resolve(crash) },
  });
  pair.guest.expose("never", new Map([["answer", () => new Promise(() => {})]]));
  const call = pair.host.call("never", "answer", []);
  const failed = assert.rejects(call, (error) => error === crash);
  await pair.guest.goodbye(3);
  await failed;
  assert.deepEqual(codes, [3]);
});
