import assert from "node:assert/strict";
import {
  exposeModule,
  exposeService,
  remoteModule,
  remoteService,
  sessionSource,
} from "../../src/proxy/mod.ts";
import type { ExportDescription } from "../../src/rpc/mod.ts";
import { sessionPair } from "../rpc/session_pair.ts";

const plugin = {
  version: "1.2",
  limit: 3n,
  nothing: undefined,
  add: (a: number, b: number): number => a + b,
  async *rows(count: number): AsyncGenerator<number> {
    for (let row = 0; row < count; row++) yield await Promise.resolve(row);
  },
  math: {
    pi: 3,
    double: (value: number): number => value * 2,
    deep: { triple: (value: number): number => value * 3 },
  },
  _hidden: (): number => 1,
  then: (): number => 2,
  toString: (): string => "x",
  Model: class {},
  list: [1],
  get accessor(): number {
    throw new Error("accessors are not run");
  },
};

Deno.test("exposeModule() describes functions, generators, objects and constants, and nothing else", async () => {
  await using pair = await sessionPair();
  assert.deepEqual(exposeModule(pair.guest, "plugin", plugin), [
    { name: "version", kind: "value", value: "1.2" },
    { name: "limit", kind: "value", value: 3n },
    { name: "nothing", kind: "value", value: undefined },
    { name: "add", kind: "function" },
    { name: "rows", kind: "stream" },
    {
      name: "math",
      kind: "object",
      members: [
        { name: "pi", kind: "value", value: 3 },
        { name: "double", kind: "function" },
        { name: "deep", kind: "object", members: [{ name: "triple", kind: "function" }] },
      ],
    },
  ]);
  for (const name of ["_hidden", "then", "toString", "Model", "list", "accessor", "math", "math.missing"]) {
    await assert.rejects(pair.host.call("plugin", name, []), {
      name: "TypeError",
      message: /must be exposed/,
    });
  }
});

Deno.test("remoteModule() calls functions, iterates generators, reaches nested objects and shows constants", async () => {
  await using pair = await sessionPair();
  const exports = exposeModule(pair.guest, "plugin", plugin);
  const api = remoteModule<typeof plugin>(sessionSource(pair.host, "plugin", exports));
  assert.equal(await api.add(1, 2), 3);
  const rows: number[] = [];
  for await (const row of api.rows(3)) rows.push(row);
  assert.deepEqual(rows, [0, 1, 2]);
  assert.equal(await api.math.double(4), 8);
  assert.equal(await api.math.deep.triple(4), 12);
  assert.deepEqual([api.version, api.limit, api.math.pi], ["1.2", 3n, 3]);
  assert.equal(api.add, api.add);
});

Deno.test("remoteModule() is no promise, has no secrets and cannot be changed", async () => {
  await using pair = await sessionPair();
  const exports = exposeModule(pair.guest, "plugin", plugin);
  const api = remoteModule<Record<string, unknown>>(sessionSource(pair.host, "plugin", exports));
  assert.equal(await Promise.resolve(api), api);
  for (const name of ["then", "_hidden", "constructor", "__proto__", "toString", "missing"]) {
    assert.equal(api[name], undefined, name);
    assert.equal(name in api, false, name);
  }
  assert.equal((api as Record<symbol, unknown>)[Symbol.iterator], undefined);
  assert.equal("add" in api, true);
  assert.throws(() => Object.assign(api, { add: 1 }), TypeError);
  assert.throws(() => Object.defineProperty(api, "add", { value: 1 }), TypeError);
});

Deno.test("remoteModule() lists its exports, so that they can be looked at and spread", async () => {
  await using pair = await sessionPair();
  const exports = exposeModule(pair.guest, "plugin", plugin);
  const api = remoteModule<typeof plugin>(sessionSource(pair.host, "plugin", exports));
  assert.deepEqual(Object.keys(api), ["version", "limit", "nothing", "add", "rows", "math"]);
  assert.deepEqual(Object.keys(api.math), ["pi", "double", "deep"]);
  const { version, add } = { ...api };
  assert.deepEqual([version, await add(1, 2)], ["1.2", 3]);
  assert.throws(() => Object.freeze(api), TypeError);
  assert.throws(() => Object.setPrototypeOf(api, {}), TypeError);
});

Deno.test("remoteModule() passes its options to every call", async () => {
  await using pair = await sessionPair();
  const exports = exposeModule(pair.guest, "plugin", { wait: () => new Promise(() => {}) });
  const source = sessionSource(pair.host, "plugin", exports);
  const api = remoteModule<{ wait(): Promise<void> }>(source, { signal: AbortSignal.abort("not now") });
  await assert.rejects(api.wait(), (error) => error === "not now");
});

Deno.test("remoteModule() follows its source when the exports change", () => {
  let exports: ExportDescription[] = [{ name: "a", kind: "function" }];
  const calls: string[] = [];
  const api = remoteModule<{ a(): void; b(): AsyncGenerator<number> }>({
    get exports() {
      return exports;
    },
    call: (method) => Promise.resolve(calls.push(`call ${method}`)),
    stream(method) {
      calls.push(`stream ${method}`);
      return (async function* () {})();
    },
  });
  void api.a();
  assert.equal(Reflect.get(api, "b"), undefined);
  exports = [{ name: "a", kind: "stream" }, { name: "b", kind: "stream" }];
  void api.a();
  void api.b();
  assert.deepEqual(calls, ["call a", "stream a", "stream b"]);
});

class Base {
  inherited(): string {
    return "base";
  }
}

class Database extends Base {
  #rows = ["a", "b"];
  lookup(index: number): string | undefined {
    return this.#rows[index];
  }
  async *all(): AsyncGenerator<string> {
    for (const row of this.#rows) yield await Promise.resolve(row);
  }
  drop(): void {
    this.#rows = [];
  }
  _internal(): void {}
}

Deno.test("exposeService() exposes the methods of an instance and its classes", async () => {
  await using pair = await sessionPair();
  const description = exposeService(pair.host, "db", new Database(), "all");
  assert.deepEqual(description, {
    name: "db",
    members: [
      { name: "lookup", kind: "function" },
      { name: "all", kind: "stream" },
      { name: "drop", kind: "function" },
      { name: "inherited", kind: "function" },
    ],
  });
  const db = remoteService<Database>(pair.guest, "db", description);
  assert.equal(await db.lookup(1), "b");
  assert.equal(await db.inherited(), "base");
  const all: string[] = [];
  for await (const row of db.all()) all.push(row);
  assert.deepEqual(all, ["a", "b"]);
  assert.equal((db as unknown as Record<string, unknown>).constructor, undefined);
});

Deno.test("exposeService() keeps methods that are not listed from a plugin", async () => {
  await using pair = await sessionPair();
  const database = new Database();
  exposeService(pair.host, "db", database, ["lookup"]);
  assert.equal(await pair.guest.call("db", "lookup", [0]), "a");
  for (const method of ["drop", "all", "_internal", "constructor", "toString", "__proto__"]) {
    await assert.rejects(pair.guest.call("db", method, []), {
      name: "TypeError",
      message: `Cannot call "db.${method}" as it must be exposed: it is not`,
    });
  }
  assert.equal(database.lookup(0), "a");
});

Deno.test("exposeService() refuses a listed method that is missing or must not cross", async () => {
  await using pair = await sessionPair();
  for (const method of ["missing", "_internal", "constructor"]) {
    assert.throws(() => exposeService(pair.host, "db", new Database(), [method]), {
      message: `Cannot expose "db.${method}" as it must be a method: it is not one that may be called`,
    });
  }
});

Deno.test("remoteService() of a service that was not granted rejects every call with the line to add", async () => {
  await using pair = await sessionPair();
  exposeService(pair.host, "db", new Database(), "all");
  const db = remoteService<Database>(pair.guest, "db");
  await assert.rejects(db.lookup(0), {
    name: "PermissionDeniedError",
    message: 'Cannot call service "db" as a plugin reaches only those of its grant: it is not in its list',
    suggestion: 'services: ["db"]',
  });
  assert.equal((db as unknown as Record<string, unknown>).then, undefined);
  assert.equal(await Promise.resolve(db), db);
});
