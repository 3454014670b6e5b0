import assert from "node:assert/strict";
import fc from "fast-check";
import {
  CallTimeoutError,
  CudaError,
  LimitExceededError,
  MemoryPressureError,
  NativeError,
  RemoteError,
  SerializationError,
} from "../../src/errors.ts";
import { TypeRegistry } from "../../src/rpc/mod.ts";
import { type SessionPair, sessionPair } from "./session_pair.ts";

async function echoPair(both: Parameters<typeof sessionPair>[0] = {}): Promise<SessionPair> {
  const pair = await sessionPair(both);
  pair.guest.expose("echo", new Map([["echo", (value: unknown) => value]]));
  return pair;
}

const exact: Record<string, unknown> = {
  "null": null,
  "undefined": undefined,
  "booleans": [true, false],
  "integers": [
    0,
    1,
    -1,
    127,
    128,
    -32,
    -33,
    65536,
    -2147483649,
    2 ** 32,
    Number.MAX_SAFE_INTEGER,
    -(2 ** 53 - 1),
  ],
  "floats": [0.5, -0, NaN, Infinity, -Infinity, Number.MIN_VALUE, 2 ** 53, 1e308],
  "bigints": [0n, -1n, 2n ** 64n, -(2n ** 200n), 2n ** 64n - 1n],
  "strings": [
    "",
    "ä€😀",
    "\0",
    "\ud800",
    "a\udc00b",
    "\ufeffbom",
    "x".repeat(300),
    "\ufeff" + "x".repeat(300),
  ],
  "sparse arrays": [1, , 3, ,], // deno-lint-ignore no-sparse-arrays
  "a sparse array that begins with a hole": [, 1], // deno-lint-ignore no-sparse-arrays
  "undefined properties": { a: undefined, b: [undefined] },
  "dates": [new Date(0), new Date(-1), new Date(8.64e15), new Date(NaN)],
  "maps in order": new Map<unknown, unknown>([["b", 1], ["a", new Map([[{}, []]])], [undefined, -0]]),
  "sets in order": new Set<unknown>(["b", "a", 1n, new Set([null])]),
  "regular expressions": [/a\/b/giu, new RegExp("")],
  "URLs": new URL("https://example.com/a?b#c"),
  "Uint8Array": new Uint8Array([1, 2, 255]),
  "empty Uint8Array": new Uint8Array(),
  "Int8Array": new Int8Array([-1, 1]),
  "Uint8ClampedArray": new Uint8ClampedArray([0, 255]),
  "Int16Array": new Int16Array([-1, 1]),
  "Uint16Array": new Uint16Array([1, 65535]),
  "Int32Array": new Int32Array([-1]),
  "Uint32Array": new Uint32Array([2 ** 32 - 1]),
  "BigInt64Array": new BigInt64Array([-1n, 2n ** 62n]),
  "BigUint64Array": new BigUint64Array([2n ** 64n - 1n]),
  "Float16Array": new Float16Array([0.5, -0, NaN]),
  "Float32Array": new Float32Array([0.5, -0]),
  "Float64Array": new Float64Array([Math.PI, -0]),
  "DataView": new DataView(new Uint8Array([1, 2, 3]).buffer, 1),
  "ArrayBuffer": new Uint8Array([1, 2, 3]).buffer,
  "names that objects inherit": { constructor: 1, toString: "x", hasOwnProperty: null, valueOf: [] },
  "a property then that is no function": { then: 5 },
};

for (const [what, value] of Object.entries(exact)) {
  Deno.test(`RpcSession.call() carries ${what} exactly`, async () => {
    await using pair = await echoPair();
    assert.deepEqual(await pair.host.call("echo", "echo", [value]), value);
  });
}

Deno.test("RpcSession.call() gives every binary a buffer of its own", async () => {
  await using pair = await echoPair();
  const [first, second] = await pair.host.call("echo", "echo", [[
    new Uint8Array([1]),
    new Uint8Array([2]),
  ]]) as [
    Uint8Array,
    Uint8Array,
  ];
  assert.equal(first.buffer.byteLength, 1);
  assert.equal(second.buffer.byteLength, 1);
});

Deno.test("RpcSession.call() keeps holes apart from undefined", async () => {
  await using pair = await echoPair();
  // deno-lint-ignore no-sparse-arrays
  const array = await pair.host.call("echo", "echo", [[, undefined]]) as unknown[];
  assert.equal(0 in array, false);
  assert.equal(1 in array, true);
});

Deno.test("RpcSession.call() carries any value that fast-check makes", async () => {
  await using pair = await echoPair();
  const leaf = fc.oneof(
    fc.anything({
      maxDepth: 0,
      withBigInt: true,
      withDate: true,
      withTypedArray: true,
      withSparseArray: true,
    }),
    fc.string({ unit: "binary" }),
    fc.bigInt(),
    fc.double(),
  ).filter((value) => !(Object.getPrototypeOf(value ?? 0) === null));
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 5 },
      leaf,
      fc.array(tie("tree"), { maxLength: 5 }),
      fc.dictionary(fc.string(), tie("tree"), { maxKeys: 5, noNullPrototype: true }),
      fc.array(fc.tuple(tie("tree"), tie("tree")), { maxLength: 4 }).map((entries) => new Map(entries)),
      fc.array(tie("tree"), { maxLength: 4 }).map((items) => new Set(items)),
    ),
  }));
  await fc.assert(
    fc.asyncProperty(tree, async (value) => {
      if (hasForbiddenKey(value)) return;
      assert.deepEqual(await pair.host.call("echo", "echo", [value]), value);
    }),
    { numRuns: 500 },
  );
});

/** `__proto__` is refused, which another test shows. */
function hasForbiddenKey(value: unknown): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (value instanceof Map) return [...value].flat().some(hasForbiddenKey);
  if (value instanceof Set) return [...value].some(hasForbiddenKey);
  return Object.hasOwn(value, "__proto__") || Object.keys(value).some((key) => !key.isWellFormed()) ||
    Object.values(value).some(hasForbiddenKey);
}

Deno.test("RpcSession.call() names where a value cannot cross", async () => {
  await using pair = await echoPair();
  class Socket {}
  const attempts: readonly (readonly [unknown, string])[] = [
    [{ user: { socket: new Socket() } }, "$.args[0].user.socket"],
    [[1, [Symbol("x")]], "$.args[0][1][0]"],
    [{ "a b": Promise.resolve() }, '$.args[0]["a b"]'],
    [new Map([["key", new WeakMap()]]), "$.args[0].key"],
    [new Set([new Socket()]), "$.args[0][0]"],
    [JSON.parse('{"__proto__": 1}'), "$.args[0].__proto__"],
    [{ then: () => {} }, "$.args[0].then"],
    [{ "\ud800": 1 }, '$.args[0]["\\ud800"]'],
    [new SharedArrayBuffer(1), "$.args[0]"],
    [new Number(1), "$.args[0]"],
  ];
  for (const [value, path] of attempts) {
    const error = await pair.host.call("echo", "echo", [value]).then(() => null, (error) => error);
    assert.ok(error instanceof SerializationError, `${path}: ${error}`);
    assert.equal(error.path, path);
  }
});

Deno.test("RpcSession.call() rejects a cycle with its path", async () => {
  await using pair = await echoPair();
  const user: Record<string, unknown> = {};
  user.friends = [{ best: user }];
  await assert.rejects(pair.host.call("echo", "echo", [{ user }]), {
    name: "SerializationError",
    path: "$.args[0].user.friends[0].best",
    message:
      "Cannot send $.args[0].user.friends[0].best as a value must not contain itself: it is $.args[0].user",
  });
});

Deno.test("RpcSession.call() rejects what is nested too deep or holds too much, before it is sent", async () => {
  await using pair = await echoPair({ both: { limits: { maxNesting: 20, maxValues: 1000 } } });
  let deep: unknown = 1;
  for (let level = 0; level < 30; level++) deep = [deep];
  await assert.rejects(pair.host.call("echo", "echo", [deep]), {
    name: "SerializationError",
    message: /"maxNesting" is 20/,
  });
  await assert.rejects(pair.host.call("echo", "echo", [new Array(2000).fill(0)]), {
    name: "SerializationError",
    message: /"maxValues" is 1000/,
  });
  assert.equal(await pair.host.call("echo", "echo", [1]), 1);
});

Deno.test("RpcSession.call() rejects a frame that is larger than the peer accepts", async () => {
  await using pair = await echoPair({ guest: { limits: { maxFrameBytes: 1000 } } });
  await assert.rejects(pair.host.call("echo", "echo", ["x".repeat(2000)]), LimitExceededError);
  assert.equal(await pair.host.call("echo", "echo", [1]), 1);
});

Deno.test("RpcSession.call() answers a result that cannot cross with its path", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("bad", new Map([["result", () => ({ a: [Symbol("x")] })]]));
  await assert.rejects(pair.host.call("bad", "result", []), {
    name: "SerializationError",
    path: "$.result.a[0]",
  });
});

Deno.test("RpcSession.call() rebuilds allow-listed errors with name, message, cause, properties and stack", async () => {
  await using pair = await echoPair({
    host: { mapStack: (stack) => stack.replaceAll("values_test", "mapped") },
  });
  const error = new RangeError("too far", { cause: new TypeError("deep", { cause: -0 }) });
  Object.assign(error, { code: "E_FAR", limit: 3n });
  const copy = await pair.host.call("echo", "echo", [error]) as RangeError & { code: string; limit: bigint };
  assert.equal(Object.getPrototypeOf(copy), RangeError.prototype);
  assert.equal(copy.message, "too far");
  assert.ok(copy.cause instanceof TypeError);
  assert.ok(Object.is(copy.cause.cause, -0));
  assert.deepEqual([copy.code, copy.limit], ["E_FAR", 3n]);
});

Deno.test("RpcSession.call() maps the stack of a guest's error and hides the host's", async () => {
  await using pair = await sessionPair({
    host: { mapStack: (stack) => stack.replaceAll("values_test", "mapped") },
  });
  const fail = new Map([["fail", () => {
    throw new TypeError("oops");
  }]]);
  pair.guest.expose("bad", fail);
  pair.host.expose("bad", fail);
  const fromGuest = await pair.host.call("bad", "fail", []).catch((error) => error) as Error;
  assert.match(String(fromGuest.stack), /mapped\.ts:\d+/);
  const fromHost = await pair.guest.call("bad", "fail", []).catch((error) => error) as Error;
  assert.equal(fromHost.stack, "TypeError: oops\n    at <the other process>");
});

Deno.test("RpcSession.call() carries AggregateError, DOMException and Deno's errors", async () => {
  await using pair = await echoPair();
  const all = await pair.host.call("echo", "echo", [
    new AggregateError([new URIError("a"), 5], "both"),
  ]) as AggregateError;
  assert.ok(all instanceof AggregateError && all.errors[0] instanceof URIError);
  assert.equal(all.errors[1], 5);
  const abort = await pair.host.call("echo", "echo", [
    new DOMException("gone", "AbortError"),
  ]) as DOMException;
  assert.ok(abort instanceof DOMException);
  assert.equal(abort.name, "AbortError");
  assert.ok(
    await pair.host.call("echo", "echo", [new Deno.errors.NotFound("no file")]) instanceof
      Deno.errors.NotFound,
  );
});

Deno.test("RpcSession.call() carries Cordon's own errors with what they know, and hints cleaned", async () => {
  await using pair = await echoPair();
  const hint = "Do this\u001b[31m instead";
  const errors = [
    new CudaError("no", { call: "cuMemAlloc", result: "CUDA_ERROR_OUT_OF_MEMORY", hint }),
    new NativeError("no", { call: "cordon_map", errno: "ENOMEM", hint }),
    new MemoryPressureError("no", { limit: "memory", asked: 3, allowed: 2, free: 1, hint }),
    new SerializationError("no", { path: "$.a", hint }),
    new CallTimeoutError("no", { timeoutMs: 5, hint }),
  ];
  for (const error of errors) {
    const copy = await pair.host.call("echo", "echo", [error]) as typeof error;
    assert.equal(copy.constructor, error.constructor);
    assert.deepEqual({ ...copy, hint }, { ...error, hint });
    assert.equal(copy.hint, "Do this\\u{1b}[31m instead");
  }
});

Deno.test("RpcSession.call() gives a RemoteError for classes that are not listed", async () => {
  await using pair = await sessionPair();
  class QuotaError extends Error {}
  pair.guest.expose(
    "bad",
    new Map([["fail", () => Promise.reject(new QuotaError("full"))], ["five", () => {
      // deno-lint-ignore no-throw-literal
      throw 5;
    }]]),
  );
  const error = await pair.host.call("bad", "fail", []).catch((error) => error);
  assert.ok(error instanceof RemoteError);
  assert.equal(error.remoteName, "QuotaError");
  assert.equal(error.message, "full");
  assert.match(error.remoteStack, /values_test\.ts/);
  assert.equal(await pair.host.call("bad", "five", []).catch((error) => error), 5);
});

Deno.test("An error of a class that one side does not know keeps its name from process to process", async () => {
  await using pair = await sessionPair();
  class QuotaError extends Error {
    override readonly name = "QuotaError";
    readonly used = 3;
  }
  pair.host.expose("disk", new Map([["write", () => Promise.reject(new QuotaError("full"))]]));
  pair.guest.expose("job", new Map([["run", () => pair.guest.call("disk", "write", [])]]));
  const error = await pair.host.call("job", "run", []).catch((reason) => reason) as RemoteError;
  assert.ok(error instanceof RemoteError);
  assert.deepEqual([error.name, error.remoteName, error.message], ["RemoteError", "QuotaError", "full"]);
  assert.equal((error as { used?: unknown }).used, 3);
});

Deno.test("RpcSession.call() tells an error with a property whose name cannot cross, and lives on", async () => {
  await using pair = await echoPair();
  pair.guest.expose(
    "bad",
    new Map([["fail", () => Promise.reject(Object.assign(new RangeError("oops"), { "\ud800": 1 }))]]),
  );
  await assert.rejects(pair.host.call("bad", "fail", []), { message: "oops" });
  await assert.rejects(pair.host.call("echo", "echo", [Object.assign(new Error("x"), { "\ufeffa": 1 })]), {
    name: "SerializationError",
    message: /a key must be well-formed Unicode/,
  });
  assert.equal(await pair.host.call("echo", "echo", [1]), 1);
});

Deno.test("RpcSession.call() still tells an error whose cause cannot cross", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "bad",
    new Map([["fail", () => Promise.reject(new Error("oops", { cause: new WeakMap() }))]]),
  );
  await assert.rejects(pair.host.call("bad", "fail", []), { name: "Error", message: "oops" });
});

class Point {
  constructor(readonly x: number, readonly y: number) {}
}

function pointTypes(): TypeRegistry {
  const types = new TypeRegistry();
  types.register<Point>("point", {
    test: (value): value is Point => value instanceof Point,
    encode: ({ x, y }) => [x, y],
    decode: (payload) => {
      if (!Array.isArray(payload) || payload.length !== 2) throw new TypeError("a point has two numbers");
      return new Point(payload[0], payload[1]);
    },
  });
  return types;
}

Deno.test("TypeRegistry carries a registered class, nested in other values", async () => {
  await using pair = await echoPair({ both: { types: pointTypes() } });
  const value = [new Point(1, -0), new Map([["p", new Point(3, 4)]])];
  assert.deepEqual(await pair.host.call("echo", "echo", [value]), value);
});

Deno.test("TypeRegistry comes before the built-in types for ArrayBuffer views", async () => {
  const types = new TypeRegistry();
  types.register<Float32Array>("floats", {
    test: (value): value is Float32Array<ArrayBuffer> => value instanceof Float32Array && value.length > 2,
    encode: (floats) => floats.length,
    decode: (payload) => new Float32Array(Number(payload)).fill(9),
  });
  await using pair = await echoPair({ both: { types } });
  assert.deepEqual(await pair.host.call("echo", "echo", [new Float32Array(2)]), new Float32Array(2));
  assert.deepEqual(await pair.host.call("echo", "echo", [new Float32Array(3)]), new Float32Array(3).fill(9));
});

Deno.test("TypeRegistry rejects a call whose type is unknown at the other side, and the session goes on", async () => {
  await using pair = await echoPair({ host: { types: pointTypes() } });
  await assert.rejects(pair.host.call("echo", "echo", [new Point(1, 2)]), {
    name: "SerializationError",
    message: /type "point" is not registered here/,
  });
  assert.equal(await pair.host.call("echo", "echo", [1]), 1);
});

Deno.test("TypeRegistry runs rollback when the frame is not sent", async () => {
  const undone: string[] = [];
  const types = new TypeRegistry();
  types.register<Point>("point", {
    test: (value): value is Point => value instanceof Point,
    encode: (point, { rollback }) => {
      rollback(() => undone.push(`point ${point.x}`));
      return null;
    },
    decode: () => new Point(0, 0),
  });
  await using pair = await echoPair({ both: { types } });
  await assert.rejects(pair.host.call("echo", "echo", [new Point(1, 0), Symbol("x")]), SerializationError);
  assert.deepEqual(undone, ["point 1"]);
  await pair.host.call("echo", "echo", [new Point(2, 0)]);
  assert.deepEqual(undone, ["point 1"]);
});

Deno.test("TypeRegistry.register() refuses a tag twice", () => {
  const types = pointTypes();
  const codec = { test: (_: object): _ is Point => false, encode: () => 1, decode: () => new Point(0, 0) };
  assert.throws(() => types.register<Point>("point", codec), TypeError);
  assert.throws(() => types.register<Point>("", codec), TypeError);
});
