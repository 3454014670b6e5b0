import assert from "node:assert/strict";
import { PluginCrashedError, ProtocolError } from "../../src/errors.ts";
import { type CallContext, currentCall, loadAmbientStore, type RpcFunction } from "../../src/rpc/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import { assertAlive, peer } from "./hostile_peer.ts";
import { marker } from "./raw_peer.ts";
import { sessionPair } from "./session_pair.ts";
import { until } from "./until.ts";

/** Resolves with the reason, if the signal aborts. */
function aborted(signal: AbortSignal): Promise<unknown> {
  if (signal.aborted) return Promise.resolve(signal.reason);
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(signal.reason)));
}

const waiter = new Map<string, RpcFunction>([
  ["reason", ({ signal }: { signal: AbortSignal }) => {
    assert.ok(signal instanceof AbortSignal);
    return aborted(signal).then((reason) => [signal.aborted, reason]);
  }],
  ["isAborted", (signal: AbortSignal) => [signal.aborted, signal.reason]],
  ["at once", () => 1],
]);

for (const joint of ["memory", "socket"] as const) {
  Deno.test(`An AbortSignal among the arguments aborts on the other side with its reason over ${joint}`, async () => {
    await using pair = await sessionPair({}, joint);
    pair.guest.expose("svc", waiter);
    pair.host.expose("svc", waiter);
    for (const session of [pair.host, pair.guest]) {
      const reasons = [
        "text",
        5,
        { code: "E_STOP" },
        new RangeError("far"),
        new DOMException("time", "TimeoutError"),
      ];
      for (const reason of reasons) {
        const controller = new AbortController();
        const call = session.call("svc", "reason", [{ signal: controller.signal }]);
        await session.ping();
        assert.equal(session.stats().signalsOut, 1);
        controller.abort(reason);
        assert.deepEqual(await call, [true, reason]);
      }
      const controller = new AbortController();
      const call = session.call("svc", "reason", [{ signal: controller.signal }]);
      controller.abort();
      const [, reason] = await call as [boolean, DOMException];
      assert.equal(reason.name, "AbortError");
    }
  });
}

Deno.test("An AbortSignal that has aborted arrives so", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("svc", waiter);
  assert.deepEqual(await pair.host.call("svc", "isAborted", [AbortSignal.abort("early")]), [true, "early"]);
  assert.deepEqual(await pair.host.call("svc", "isAborted", [new AbortController().signal]), [
    false,
    undefined,
  ]);
});

Deno.test("An AbortSignal is let go with its call: neither side listens any more", async () => {
  await using pair = await sessionPair();
  let kept: AbortSignal | undefined;
  pair.guest.expose(
    "svc",
    new Map<string, RpcFunction>([
      ["keep", (signal: AbortSignal) => void (kept = signal)],
      ["fail", () => Promise.reject(new Error("no"))],
    ]),
  );
  const controller = new AbortController();
  for (let round = 0; round < 100; round++) await pair.host.call("svc", "keep", [controller.signal]);
  await assert.rejects(pair.host.call("svc", "fail", [controller.signal]), { message: "no" });
  await assert.rejects(pair.host.call("svc", "keep", [controller.signal, Symbol("x")]));
  assert.equal(pair.host.stats().signalsOut, 0);
  assert.equal(pair.guest.stats().signalsIn, 0);
  const { framesOut } = pair.host.stats();
  controller.abort();
  assert.equal(pair.host.stats().framesOut, framesOut);
  await pair.host.ping();
  assert.equal(kept!.aborted, false);
});

Deno.test("An AbortSignal reaches a call that its caller has given up, until the callee answers", async () => {
  await using pair = await sessionPair();
  const seen = Promise.withResolvers<unknown>();
  pair.guest.expose(
    "svc",
    new Map([["wait", async (signal: AbortSignal) => seen.resolve(await aborted(signal))]]),
  );
  const controller = new AbortController();
  const call = pair.host.call("svc", "wait", [controller.signal], { timeoutMs: 1 });
  await assert.rejects(call, { name: "CallTimeoutError" });
  controller.abort("now");
  assert.equal(await seen.promise, "now");
  await until(() => pair.host.stats().pendingOut === 0);
});

Deno.test("An AbortSignal of a generator lives as long as its stream", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "svc",
    new Map([["rows", async function* (signal: AbortSignal) {
      for (let row = 0; !signal.aborted; row++) yield await Promise.resolve(row);
      yield String(signal.reason);
    }]]),
  );
  const controller = new AbortController();
  const items: unknown[] = [];
  for await (const item of pair.host.stream("svc", "rows", [controller.signal])) {
    items.push(item);
    if (item === 40) controller.abort("enough");
  }
  assert.equal(items.at(-1), "enough");
  assert.deepEqual([pair.host.stats().signalsOut, pair.guest.stats().signalsIn], [0, 0]);
  for await (const _ of pair.host.stream("svc", "rows", [new AbortController().signal])) break;
  await until(() => pair.host.stats().signalsOut + pair.guest.stats().signalsIn === 0);
});

Deno.test("An AbortSignal aborts when its owner is gone", async () => {
  const crash = new PluginCrashedError("it died", { reason: "signal" });
  await using pair = await sessionPair({ host: { onPeerClosed: () => Promise.resolve(crash) } });
  const started = Promise.withResolvers<AbortSignal>();
  pair.host.expose(
    "svc",
    new Map([["wait", (signal: AbortSignal) => (started.resolve(signal), aborted(signal))]]),
  );
  pair.guest.call("svc", "wait", [new AbortController().signal]).catch(() => undefined);
  const signal = await started.promise;
  pair.guest.close();
  assert.equal(await aborted(signal), crash);
});

Deno.test("An AbortSignal crosses only as an argument of a call", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "svc",
    new Map<string, RpcFunction>([
      ["signal", () => [new AbortController().signal]],
      ["rows", async function* () {
        yield await Promise.resolve(AbortSignal.abort());
      }],
    ]),
  );
  const refused = { name: "SerializationError", message: /a signal crosses only as an argument of a call/ };
  await assert.rejects(pair.host.call("svc", "signal", []), { ...refused, path: "$.result[0]" });
  await assert.rejects(pair.host.stream("svc", "rows", []).next(), refused);
  const { signal } = new AbortController();
  assert.throws(() => pair.host.emit("x", signal), refused);
  assert.throws(() => pair.host.notify("svc", "signal", [signal]), refused);
  await assert.rejects(pair.host.load({ entry: "x", signal }), refused);
});

Deno.test("A callback takes an AbortSignal, too", async () => {
  await using pair = await sessionPair();
  const controller = new AbortController();
  pair.guest.expose(
    "svc",
    new Map([["call", async (callback: RpcFunction) => {
      using _disposed = callback as RpcFunction & Disposable;
      const answer = callback(controller.signal);
      controller.abort("back");
      return await answer;
    }]]),
  );
  assert.equal(await pair.host.call("svc", "call", [(signal: AbortSignal) => aborted(signal)]), "back");
  await until(() => pair.host.stats().exported === 0);
});

Deno.test("progress() of a generator reaches the caller until the stream ends", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ guest: { ambient } });
  pair.guest.expose(
    "svc",
    new Map([["rows", async function* () {
      const call = currentCall()!;
      for (let row = 0; row < 50; row++) {
        currentCall()!.progress(row);
        assert.equal(call.isFinished, false);
        yield row;
      }
      currentCall()!.progress("last");
    }]]),
  );
  const heard: unknown[] = [];
  const stream = pair.host.stream("svc", "rows", [], { onProgress: (value) => heard.push(value) });
  for await (const _ of stream);
  assert.deepEqual(heard, [...Array(50).keys(), "last"]);
  const alone = pair.host.stream("svc", "rows", []);
  for await (const _ of alone);
  assert.equal(heard.length, 51);
});

Deno.test("progress() behind the end of a call goes nowhere", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ guest: { ambient } });
  const calls: CallContext[] = [];
  const begin = (): CallContext => {
    const call = currentCall()!;
    calls.push(call);
    call.progress("in time");
    return call;
  };
  pair.guest.expose(
    "svc",
    new Map<string, RpcFunction>([
      ["call", () => void begin()],
      ["rows", async function* () {
        begin();
        yield await Promise.resolve(1);
      }],
    ]),
  );
  const heard: unknown[] = [];
  const options = { onProgress: (value: unknown) => heard.push(value) };
  await pair.host.call("svc", "call", [], options);
  for await (const _ of pair.host.stream("svc", "rows", [], options));
  const { framesOut } = pair.guest.stats();
  for (const call of calls) {
    assert.equal(call.isFinished, true);
    call.progress("late");
  }
  assert.equal(pair.guest.stats().framesOut, framesOut);
  assert.deepEqual(heard, ["in time", "in time"]);
});

Deno.test("A deadline bounds what a generator's opening calls, not what its items call", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ guest: { ambient } });
  const passed = Promise.withResolvers<void>();
  pair.host.expose("svc", new Map([["now", () => performance.now()]]));
  pair.guest.expose(
    "svc",
    new Map([["rows", async function* () {
      yield currentCall()!.deadlineAt;
      await passed.promise;
      yield await pair.guest.call("svc", "now", []);
    }]]),
  );
  const stream = pair.host.stream("svc", "rows", [], { timeoutMs: 50 });
  assert.equal((await stream.next()).value, Infinity);
  const start = performance.now();
  await until(() => performance.now() > start + 60);
  passed.resolve();
  assert.ok((await stream.next()).value as number > start);
  await stream.return?.();
  await until(() => pair.guest.stats().streamsOut === 0);
});

Deno.test("Recursion through generators counts as depth", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ both: { limits: { maxDepth: 8 }, ambient } });
  const rows = (session: () => typeof pair.host) =>
    async function* (): AsyncGenerator<number> {
      yield currentCall()!.depth;
      yield* session().stream("svc", "rows", []) as AsyncIterable<number>;
    };
  pair.host.expose("svc", new Map([["rows", rows(() => pair.host)]]));
  pair.guest.expose("svc", new Map([["rows", rows(() => pair.guest)]]));
  const depths: unknown[] = [];
  await assert.rejects(async () => {
    for await (const depth of pair.host.stream("svc", "rows", [])) depths.push(depth);
  }, { name: "LimitExceededError", limit: "maxDepth" });
  assert.deepEqual(depths, [1, 2, 3, 4, 5, 6, 7, 8]);
  await until(() => pair.host.stats().streamsIn + pair.guest.stats().streamsIn === 0);
});

const broken: readonly (readonly [what: string, reason: RegExp, ...message: unknown[]])[] = [
  ["an abort of a signal that never crossed", /signal 1 as it never crossed/, Kind.abort, 1, null],
  ["an abort of a signal whose number is text", /signal 1 as it never crossed/, Kind.abort, "1", null],
  ["a signal whose number was used before", /signal 1 as numbers only grow/, Kind.call, 1, 0, "svc", "echo", [
    [marker("A"), 1],
    [marker("A"), 1],
  ]],
];

for (const [what, reason, ...message] of broken) {
  Deno.test(`RpcSession closes on ${what}`, async () => {
    await using raw = await peer();
    raw.send(...message);
    const error = await raw.closed();
    assert.ok(error instanceof ProtocolError);
    assert.match(error.message, reason);
  });
}

Deno.test("RpcSession answers signals that it cannot make with an error, and lives on", async () => {
  await using raw = await peer({ limits: { maxReferences: 3 } });
  const signals = (...ids: number[]) => ids.map((id) => [marker("A"), id]);
  raw.send(Kind.call, 1, 0, "svc", "wait", [[marker("A"), -1]]);
  raw.send(Kind.call, 2, 0, "svc", "wait", signals(1, 2, 3));
  raw.send(Kind.call, 3, 0, "svc", "wait", signals(4));
  raw.send(Kind.call, 4, 0, "svc", "wait", [[marker("A"), 0, "gone"]]);
  raw.send(Kind.event, "x", [marker("A"), 9]);
  await until(() => raw.received.some(([kind, id]) => kind === Kind.error && id === 3));
  assert.deepEqual(raw.received.filter(([kind]) => kind === Kind.error).map(([, id]) => id), [1, 3]);
  assert.equal(raw.session.stats().signalsIn, 3);
  raw.send(Kind.abort, 2, "x");
  raw.send(Kind.abort, 2, "again: the messages may have crossed");
  await assertAlive(raw);
  assert.equal(raw.session.stats().signalsIn, 2);
});
