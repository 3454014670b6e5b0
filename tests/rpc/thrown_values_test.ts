import assert from "node:assert/strict";
import { RemoteError } from "../../src/errors.ts";
import { errorFields } from "../../src/rpc/error_fields.ts";
import type { RpcFunction } from "../../src/rpc/mod.ts";
import { sessionPair } from "./session_pair.ts";

class Odd {}

function revoked(): object {
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  return proxy;
}

function withAccessor(name: string): Error {
  return Object.defineProperty(new Error("seen"), name, {
    get() {
      throw new Error(`the accessor of ${name}`);
    },
  });
}

/** What is thrown, and what of it arrives. */
const thrown: Readonly<Record<string, readonly [unknown, string | RegExp]>> = {
  "a revoked Proxy": [revoked(), /proxy that has been revoked/],
  "an error whose message throws": [withAccessor("message"), "the accessor of message"],
  "an error whose name throws": [withAccessor("name"), "the accessor of name"],
  "an error without a stack": [Object.assign(new Error("a", { cause: new Odd() }), { stack: null }), "a"],
  "an error whose message is a number": [
    Object.assign(new Error("", { cause: new Odd() }), { message: 42 }),
    "42",
  ],
  "an error whose name has no text": [
    Object.assign(new Error(), { name: Object.create(null) }),
    "Cannot convert object to primitive value",
  ],
  "an object whose getter throws an error that cannot cross": [{
    get a() {
      throw new Error("inner", { cause: Symbol() });
    },
  }, "inner"],
};

for (const [what, [value, message]] of Object.entries(thrown)) {
  Deno.test(`RpcSession answers a call that throws ${what}, and goes on`, async () => {
    await using pair = await sessionPair();
    pair.guest.expose(
      "a",
      new Map<string, RpcFunction>([
        ["now", () => {
          throw value;
        }],
        ["later", () => Promise.reject(value)],
        ["ping", () => "pong"],
      ]),
    );
    await assert.rejects(pair.host.call("a", "now", []), { message });
    await assert.rejects(pair.host.call("a", "later", []), { message });
    assert.equal(await pair.host.call("a", "ping", []), "pong");
  });
}

Deno.test("RpcSession answers a call whose result throws when it is looked at, and goes on", async () => {
  await using pair = await sessionPair();
  const result = {
    get then() {
      throw new RangeError("no then");
    },
  };
  pair.guest.expose(
    "a",
    new Map<string, RpcFunction>([["then", () => result], ["revoked", revoked], ["ping", () => "pong"]]),
  );
  await assert.rejects(pair.host.call("a", "then", []), { name: "RangeError", message: "no then" });
  await assert.rejects(pair.host.call("a", "revoked", []), { name: "TypeError" });
  assert.equal(await pair.host.call("a", "ping", []), "pong");
});

Deno.test("An error whose cause cannot cross keeps its class and its properties", async () => {
  await using pair = await sessionPair();
  class Own extends Error {
    override readonly name = "Own";
  }
  const fail = (error: Error) => () => {
    throw Object.assign(error, { code: "E_ODD", cause: new Odd() });
  };
  pair.guest.expose(
    "a",
    new Map<string, RpcFunction>([
      ["range", fail(new RangeError("far"))],
      ["missing", fail(new Deno.errors.NotFound("gone"))],
      ["own", fail(new Own("mine"))],
    ]),
  );
  await assert.rejects(pair.host.call("a", "range", []), (error: RangeError & { code: string }) => {
    assert.ok(error instanceof RangeError);
    assert.deepEqual([error.message, error.code, error.cause], ["far", "E_ODD", undefined]);
    return true;
  });
  await assert.rejects(pair.host.call("a", "missing", []), Deno.errors.NotFound);
  await assert.rejects(pair.host.call("a", "own", []), (error: RemoteError) => {
    assert.ok(error instanceof RemoteError);
    assert.deepEqual([error.remoteName, error.message], ["Own", "mine"]);
    return true;
  });
});

Deno.test("errorFields() passes on what a third process threw without its stack", () => {
  const error = Object.assign(
    new RemoteError("mine", { remoteName: "Own", remoteStack: "at /home/me/a.ts" }),
    {
      size: 7,
    },
  );
  const { name, stack, more } = errorFields(error, false);
  assert.deepEqual([name, stack, more.size], ["Own", "", 7]);
  assert.deepEqual(["remoteName", "remoteStack"].filter((key) => key in more), []);
});

Deno.test("An error that is too large for a frame keeps its class and the beginning of its message", async () => {
  await using pair = await sessionPair({ both: { limits: { maxFrameBytes: 16_384 } } });
  pair.guest.expose(
    "a",
    new Map([["fail", () => {
      throw Object.assign(new RangeError("far ".repeat(20_000)), { stack: "short" });
    }]]),
  );
  await assert.rejects(pair.host.call("a", "fail", []), (error: RangeError) => {
    assert.ok(error instanceof RangeError);
    assert.equal(error.message, "far ".repeat(256));
    return true;
  });
});

Deno.test("A reason that cannot cross still cancels, and says why it is not told", async () => {
  await using pair = await sessionPair();
  const aborted: unknown[] = [];
  const first = Promise.withResolvers<void>();
  const both = Promise.withResolvers<void>();
  pair.guest.expose(
    "a",
    new Map([["wait", (signal: AbortSignal) =>
      new Promise<void>((resolve) => {
        signal.addEventListener("abort", () => {
          resolve();
          if (aborted.push(signal.reason) === 1) first.resolve();
          else both.resolve();
        });
      })]]),
  );
  const range = new AbortController();
  const rangeCall = pair.host.call("a", "wait", [range.signal]);
  range.abort(new RangeError("far", { cause: Symbol() }));
  await Promise.all([rangeCall, first.promise]);
  const odd = new AbortController();
  const oddCall = pair.host.call("a", "wait", [odd.signal]);
  odd.abort(Object.assign(Object.create(null), { symbol: Symbol() }));
  await Promise.all([oddCall, both.promise]);
  assert.ok(aborted[0] instanceof RangeError);
  assert.match(
    String(aborted[1]),
    /^SerializationError: Cannot send \$\.reason\.symbol as a symbol cannot cross/,
  );
});
