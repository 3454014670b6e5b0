import assert from "node:assert/strict";
import { CallTimeoutError, DisposedError, LimitExceededError } from "../../src/errors.ts";
import {
  type CallContext,
  currentCall,
  loadAmbientStore,
  type RpcFunction,
  type RpcSession,
} from "../../src/rpc/mod.ts";
import { rawGuest } from "./raw_peer.ts";
import { sessionPair } from "./session_pair.ts";
import { until } from "./until.ts";

function context(): CallContext {
  const call = currentCall();
  assert.ok(call, "code that serves a call finds it");
  return call;
}

Deno.test("currentCall() holds across awaits with the ambient store", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  pair.guest.expose(
    "a",
    new Map([["b", async () => {
      await Promise.resolve();
      const { target, method, depth, id } = context();
      return { target, method, depth, id };
    }]]),
  );
  assert.deepEqual(await pair.host.call("a", "b", []), { target: "a", method: "b", depth: 1, id: 1 });
  assert.equal(currentCall(), undefined);
});

Deno.test("currentCall() holds until the first await without a store", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("a", new Map([["b", () => context().method]]));
  assert.equal(await pair.host.call("a", "b", []), "b");
});

Deno.test("RpcSession.call() aborts on both sides with the signal's reason, unwrapped", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  const aborted = Promise.withResolvers<unknown>();
  const started = Promise.withResolvers<void>();
  pair.guest.expose(
    "slow",
    new Map([["run", async () => {
      const { signal } = context();
      signal.addEventListener("abort", () => aborted.resolve(signal.reason));
      started.resolve();
      await aborted.promise;
    }]]),
  );
  const controller = new AbortController();
  const call = pair.host.call("slow", "run", [], { signal: controller.signal });
  await started.promise;
  const reason = new RangeError("not needed");
  controller.abort(reason);
  await assert.rejects(call, (error) => error === reason);
  assert.deepEqual(await aborted.promise, reason);
  await until(() => pair.host.stats().pendingOut === 0);
});

Deno.test("RpcSession.call() rejects at once when its signal is aborted already, and sends nothing", async () => {
  await using pair = await sessionPair();
  const before = pair.host.stats().framesOut;
  await assert.rejects(
    pair.host.call("a", "b", [], { signal: AbortSignal.abort("no") }),
    (error) => error === "no",
  );
  assert.equal(pair.host.stats().framesOut, before);
});

Deno.test("RpcSession.call() times out on both sides, its own deadline before the default", async () => {
  await using pair = await sessionPair({
    host: { timeoutMs: 1_000_000 },
    guest: { ambient: await loadAmbientStore() },
  });
  const aborted = Promise.withResolvers<unknown>();
  pair.guest.expose(
    "slow",
    new Map([["run", () => {
      const { signal, timeoutMs } = context();
      signal.addEventListener(
        "abort",
        () => aborted.resolve([signal.reason instanceof CallTimeoutError, timeoutMs]),
      );
      return aborted.promise;
    }]]),
  );
  const error = await pair.host.call("slow", "run", [], { timeoutMs: 2 }).catch((error) => error);
  assert.ok(error instanceof CallTimeoutError);
  assert.equal(error.timeoutMs, 2);
  assert.equal(
    error.message,
    'Cannot finish the call "slow.run" as its deadline is 2 ms: guest did not answer',
  );
  assert.deepEqual(await aborted.promise, [true, 2]);
  await until(() => pair.host.stats().pendingOut === 0);
});

Deno.test("RpcSession.call() times out by the session's default", async () => {
  await using pair = await sessionPair({ host: { timeoutMs: 2 } });
  const release = Promise.withResolvers<void>();
  pair.guest.expose("slow", new Map([["run", () => release.promise]]));
  await assert.rejects(pair.host.call("slow", "run", []), CallTimeoutError);
  release.resolve();
  await until(() => pair.host.stats().pendingOut === 0);
});

Deno.test("RpcSession.call() refuses deadlines that no timer can hold, and goes on", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("a", new Map([["ping", () => "pong"]]));
  for (const timeoutMs of [Infinity, NaN, -1, 2 ** 31, "5" as unknown as number]) {
    await assert.rejects(pair.host.call("a", "ping", [], { timeoutMs }), {
      name: "RangeError",
      message: `Cannot make a call as "timeoutMs" must be from 0 (none) to 2147483647 ms: it is ${timeoutMs}`,
    });
    await assert.rejects(pair.host.stream("a", "ping", [], { timeoutMs }).next(), RangeError);
  }
  assert.equal(await pair.host.call("a", "ping", [], { timeoutMs: 2 ** 31 - 1 }), "pong");
});

Deno.test("A deadline beyond what timers hold, inherited from a peer, rings no timer in vain", async () => {
  const { setTimeout } = globalThis;
  const waits: number[] = [];
  await using peer = await rawGuest({ ambient: await loadAmbientStore() });
  peer.session.expose("a", new Map([["ask", () => peer.session.call("b", "answer", [])]]));
  try {
    globalThis.setTimeout = ((act: () => void, ms: number) => {
      waits.push(ms);
      return setTimeout(act, ms);
    }) as typeof setTimeout;
    peer.send(5, 1, 0, "a", "ask", [], 1e300);
    await until(() => peer.session.stats().pendingOut === 1);
  } finally {
    globalThis.setTimeout = setTimeout;
  }
  assert.ok(waits.includes(2 ** 31 - 1));
  assert.deepEqual(waits.filter((ms) => ms > 2 ** 31 - 1), []);
});

Deno.test("RpcSession.call() inside a served call inherits what is left of its deadline", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ both: { ambient } });
  pair.host.expose("host", new Map([["left", () => context().timeoutMs]]));
  pair.guest.expose(
    "guest",
    new Map([["ask", async () => {
      await Promise.resolve();
      return await pair.guest.call("host", "left", [], { timeoutMs: 1_000_000 });
    }]]),
  );
  const left = Number(await pair.host.call("guest", "ask", [], { timeoutMs: 50_000 }));
  assert.ok(left > 0 && left <= 50_000, `${left} ms`);
});

Deno.test("RpcSession.call() reports progress in order", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  pair.guest.expose(
    "work",
    new Map([["run", async () => {
      for (const step of [0.25, { done: 0.5 }, new Date(0)]) {
        await Promise.resolve();
        context().progress(step);
      }
      return "done";
    }]]),
  );
  const seen: unknown[] = [];
  assert.equal(await pair.host.call("work", "run", [], { onProgress: (value) => seen.push(value) }), "done");
  assert.deepEqual(seen, [0.25, { done: 0.5 }, new Date(0)]);
  assert.equal(await pair.host.call("work", "run", []), "done");
});

Deno.test("RpcSession.notify() has no reply, and its errors reach the peer's onHandlerError", async () => {
  const failures: [unknown, string][] = [];
  await using pair = await sessionPair({
    guest: { onHandlerError: (error, where) => failures.push([error, where]) },
  });
  const seen: unknown[] = [];
  pair.guest.expose(
    "log",
    new Map<string, RpcFunction>([["add", (line: string) => void seen.push(line)], ["fail", () => {
      throw new TypeError("x");
    }]]),
  );
  pair.host.notify("log", "add", ["one"]);
  pair.host.notify("log", "fail", []);
  pair.host.notify("log", "missing", []);
  await until(() => failures.length === 2);
  assert.deepEqual(seen, ["one"]);
  assert.deepEqual(failures.map(([, where]) => where), [
    'notification "log.fail"',
    'notification "log.missing"',
  ]);
});

Deno.test("RpcSession.emit() reaches every handler, from inside async code, and counts what nobody hears", async () => {
  const failures: string[] = [];
  await using pair = await sessionPair({ host: { onHandlerError: (_error, where) => failures.push(where) } });
  const seen: unknown[] = [];
  pair.host.on("ready", (payload) => {
    seen.push(payload);
    throw new Error("handler");
  });
  const second = pair.host.on("ready", (payload) => Promise.resolve(void seen.push(payload)));
  pair.guest.expose(
    "a",
    new Map([["b", async () => {
      pair.guest.emit("ready", { at: new Date(1) });
      await Promise.resolve();
      second[Symbol.dispose]();
      pair.guest.emit("unheard");
    }]]),
  );
  await pair.host.call("a", "b", []);
  assert.deepEqual(seen[0], { at: new Date(1) });
  assert.deepEqual(failures, ['handler of event "ready"']);
  assert.equal(pair.host.stats().eventsUnheard, 1);
});

Deno.test("RpcSession.on() takes a function several times, and disposing removes one of them, once", async () => {
  await using pair = await sessionPair();
  const heard: unknown[] = [];
  const handler = (payload: unknown) => heard.push(payload);
  const first = pair.host.on("tick", handler);
  const second = pair.host.on("tick", handler);
  pair.guest.emit("tick", 1);
  await pair.guest.ping();
  first[Symbol.dispose]();
  first[Symbol.dispose]();
  pair.guest.emit("tick", 2);
  await pair.guest.ping();
  second[Symbol.dispose]();
  using _third = pair.host.on("tick", handler);
  second[Symbol.dispose]();
  pair.guest.emit("tick", 3);
  await pair.guest.ping();
  assert.deepEqual(heard, [1, 1, 2, 3]);
});

Deno.test("RpcSession.call() recurses host → guest → host up to maxDepth", async () => {
  const ambient = await loadAmbientStore();
  await using pair = await sessionPair({ both: { ambient, limits: { maxDepth: 10 } } });
  const depths: number[] = [];
  const recurse = (session: RpcSession) => async (levels: number): Promise<number> => {
    depths.push(context().depth);
    await Promise.resolve();
    return levels === 0 ? 0 : 1 + Number(await session.call("deep", "down", [levels - 1]));
  };
  pair.host.expose("deep", new Map([["down", recurse(pair.host)]]));
  pair.guest.expose("deep", new Map([["down", recurse(pair.guest)]]));
  assert.equal(await pair.host.call("deep", "down", [9]), 9);
  assert.deepEqual(depths, [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  const error = await pair.host.call("deep", "down", [10]).catch((error) => error);
  assert.ok(error instanceof LimitExceededError);
  assert.deepEqual([error.limit, error.asked, error.allowed], ["maxDepth", 11, 10]);
});

Deno.test("RpcSession.call() refuses more than maxInFlight at the caller", async () => {
  await using pair = await sessionPair({ guest: { limits: { maxInFlight: 2 } } });
  const release = Promise.withResolvers<number>();
  pair.guest.expose("slow", new Map([["run", () => release.promise]]));
  const calls = [pair.host.call("slow", "run", []), pair.host.call("slow", "run", [])];
  await assert.rejects(pair.host.call("slow", "run", []), {
    name: "LimitExceededError",
    limit: "maxInFlight",
    asked: 3,
    message: 'Cannot make a call as "maxInFlight" is 2: that many wait for the peer',
  });
  release.resolve(1);
  assert.deepEqual(await Promise.all(calls), [1, 1]);
});

Deno.test("RpcSession.call() answers unknown targets and members the same way", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("real", new Map([["run", () => 1]]));
  for (
    const [target, method] of [["real", "other"], ["other", "run"], ["__proto__", "toString"], [
      "real",
      "constructor",
    ]]
  ) {
    await assert.rejects(pair.host.call(target!, method!, []), {
      name: "TypeError",
      message: `Cannot call ${JSON.stringify(`${target}.${method}`)} as it must be exposed: it is not`,
    });
  }
});

Deno.test("RpcSession.expose() refuses a name twice, unexpose() frees it", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("a", new Map([["b", () => 1]]));
  assert.throws(() => pair.guest.expose("a", new Map()), TypeError);
  pair.guest.unexpose("a");
  await assert.rejects(pair.host.call("a", "b", []), TypeError);
  pair.guest.expose("a", new Map([["b", () => 2]]));
  assert.equal(await pair.host.call("a", "b", []), 2);
});

Deno.test("RpcSession.call() during shutdown is a typed rejection, and the guest may still call", async () => {
  await using pair = await sessionPair({
    guest: { onShutdown: async () => Number(await pair.guest.call("host", "last", [])) },
  });
  pair.host.expose("host", new Map([["last", () => 7]]));
  const stopped = pair.host.shutdown(10_000);
  await assert.rejects(pair.host.call("a", "b", []), DisposedError);
  assert.throws(() => pair.host.emit("x"), DisposedError);
  assert.equal(await stopped, 7);
});

Deno.test("RpcSession.close() rejects what is pending on both sides and aborts what is served", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  const served = Promise.withResolvers<AbortSignal>();
  pair.guest.expose(
    "slow",
    new Map([["run", () => {
      served.resolve(context().signal);
      return new Promise(() => {});
    }]]),
  );
  const call = pair.host.call("slow", "run", []);
  const signal = await served.promise;
  const failed = assert.rejects(call, DisposedError);
  pair.host.close();
  await failed;
  await pair.guest.closed;
  assert.equal(signal.aborted, true);
});

Deno.test("RpcSession.ping() measures the way, and rejects when the session closes", async () => {
  await using pair = await sessionPair({}, "socket");
  assert.ok(await pair.host.ping() >= 0);
  const ping = assert.rejects(pair.host.ping(), DisposedError);
  pair.host.close();
  await ping;
});

Deno.test("RpcSession.inspect() shows what is pending, with age, and what is exposed", async () => {
  await using pair = await sessionPair();
  const release = Promise.withResolvers<void>();
  pair.guest.expose("slow", new Map([["run", () => release.promise]]));
  const call = pair.host.call("slow", "run", []);
  await until(() => pair.guest.stats().pendingIn === 1);
  const [pending] = pair.host.inspect().pending;
  assert.deepEqual({ ...pending, ageMs: 0 }, {
    direction: "out",
    id: 1,
    target: "slow",
    method: "run",
    ageMs: 0,
    depth: 1,
  });
  assert.ok(pending!.ageMs >= 0);
  const inside = pair.guest.inspect();
  assert.equal(inside.pending[0]?.direction, "in");
  assert.deepEqual({ ...inside.targets }, { slow: ["run"] });
  release.resolve();
  await call;
});

Deno.test("RpcSession shows frames to its trace, without the token, and shortened", async () => {
  const lines: string[] = [];
  await using pair = await sessionPair({
    both: { token: "very secret" },
    guest: { trace: (direction, line) => lines.push(`${direction} ${line}`) },
  });
  pair.guest.expose("a", new Map([["b", () => ({ apiKey: "hidden", text: "x".repeat(1000) })]]));
  await pair.host.call("a", "b", [new Uint8Array(5)]);
  assert.match(lines[0]!, /^out hello \d+ B \[1,"\*\*\*",/);
  assert.match(lines[2]!, /^in call \d+ B \[1,0,"a","b",\[<5 bytes>\]\]$/);
  assert.match(lines[3]!, /^out result \d+ B \[1,\{apiKey:\*\*\*,text:"x{60}…"\}\]$/);
  assert.doesNotMatch(lines.join("\n"), /very secret|hidden/);
});
