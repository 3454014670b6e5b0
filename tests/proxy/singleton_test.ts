import assert from "node:assert/strict";
import { exposeSingleton, local, ProxiedSingleton, singletonScope } from "../../src/proxy/mod.ts";
import { sessionPair } from "../rpc/session_pair.ts";

class Cache extends ProxiedSingleton {
  readonly #items = new Map<string, number>();
  size(): number {
    return this.#items.size;
  }
  add(name: string): void {
    this.#items.set(name, 1);
  }
}

class Registry extends ProxiedSingleton {
  static override readonly nested = { cache: Cache };
  readonly cache = Cache.instance();
  readonly secret = "host only";
  #calls = 0;
  get accessor(): number {
    return this.#calls;
  }
  find(name: string): string {
    this.#calls++;
    return `found ${name}`;
  }
  async *names(): AsyncGenerator<string> {
    yield await Promise.resolve("a");
    yield "b";
  }
  calls(): number {
    return this.#calls;
  }
  _private(): string {
    return "private";
  }
  @local
  normalize(name: string): string {
    return `${name.trim()}!`;
  }
}

class Other extends ProxiedSingleton {
  static override get remoteId(): string {
    return "Registry";
  }
}

Deno.test("ProxiedSingleton.instance() gives one instance per class", () => {
  using _scope = singletonScope();
  const registry = Registry.instance();
  assert.equal(Registry.instance(), registry);
  assert.notEqual(Cache.instance() as unknown, registry);
  assert.equal(registry.cache, Cache.instance());
});

Deno.test("ProxiedSingleton cannot be created twice", () => {
  using _scope = singletonScope();
  const cache = new Cache();
  assert.equal(Cache.instance(), cache);
  assert.throws(() => new Cache(), {
    message: 'Cannot create "Cache" as it is a singleton: it exists already',
  });
});

Deno.test("ProxiedSingleton.instance() forgets an instance whose constructor failed", () => {
  using _scope = singletonScope();
  let attempts = 0;
  class Fragile extends ProxiedSingleton {
    readonly attempt = ++attempts;
    constructor() {
      super();
      if (attempts === 1) throw new Error("not yet");
    }
  }
  assert.throws(() => Fragile.instance(), { message: "not yet" });
  assert.equal(Fragile.instance().attempt, 2);
});

Deno.test("ProxiedSingleton.inject() must come before the first use", () => {
  using _scope = singletonScope();
  class Fake extends Cache {}
  const fake = new Fake();
  Cache.inject(fake);
  assert.equal(Cache.instance(), fake);
  {
    using _inner = singletonScope();
    Cache.instance();
    assert.throws(() => Cache.inject(fake), {
      message: 'Cannot inject "Cache" as it must come before the first use: it is in use',
    });
  }
});

Deno.test("singletonScope() restores what was there before, nested and after an exception", () => {
  using _scope = singletonScope();
  const outer = Cache.instance();
  assert.throws(() => {
    using _inner = singletonScope();
    assert.notEqual(Cache.instance(), outer);
    throw new Error("inside");
  }, { message: "inside" });
  assert.equal(Cache.instance(), outer);
});

Deno.test("ProxiedSingleton.useRemote() gives a proxy whose methods run in the host", async () => {
  await using pair = await sessionPair();
  using _hostScope = singletonScope();
  const inHost = Registry.instance();
  const descriptions = exposeSingleton(pair.host, Registry);
  assert.deepEqual(descriptions.map(({ name, members }) => [name, members.map((member) => member.name)]), [
    ["Registry", ["find", "names", "calls"]],
    ["Cache", ["size", "add"]],
  ]);
  // The guest's process has a table of its own.
  using _guestScope = singletonScope();
  const proxy = Registry.useRemote(pair.guest);
  assert.equal(Registry.instance(), proxy);
  assert.notEqual(proxy, inHost);
  assert.ok(proxy instanceof Registry);
  assert.equal(await proxy.find("x"), "found x");
  assert.equal(await proxy.calls(), 1);
  assert.equal(proxy.normalize(" local "), "local!");
  const names: string[] = [];
  for await (const name of proxy.names()) names.push(name);
  assert.deepEqual(names, ["a", "b"]);
  await proxy.cache.add("item");
  assert.equal(await proxy.cache.size(), 1);
  assert.equal(inHost.cache.size(), 1);
  assert.equal(Cache.instance(), proxy.cache);
});

Deno.test("A remote singleton shows no fields, accessors or private methods", async () => {
  await using pair = await sessionPair();
  using _scope = singletonScope();
  const proxy = Registry.useRemote(pair.guest);
  assert.equal(proxy.secret, undefined);
  assert.throws(() => proxy.accessor, {
    message: /^Cannot read "Registry.accessor" as only its methods are remote/,
  });
  assert.throws(() => proxy._private(), TypeError);
  assert.throws(() => new Registry(), {
    message: 'Cannot create "Registry" as it is a singleton: it lives in another process',
  });
});

Deno.test("A peer cannot call private or local methods of a singleton", async () => {
  await using pair = await sessionPair();
  using _scope = singletonScope();
  exposeSingleton(pair.host, Registry);
  assert.equal(await pair.guest.call("Registry", "find", ["positive control"]), "found positive control");
  for (const method of ["_private", "normalize", "constructor", "accessor", "secret", "__defineGetter__"]) {
    await assert.rejects(pair.guest.call("Registry", method, []), {
      name: "TypeError",
      message: `Cannot call "Registry.${method}" as it must be exposed: it is not`,
    });
  }
});

Deno.test("ProxiedSingleton.useRemote() after the first use throws", async () => {
  await using pair = await sessionPair();
  using _scope = singletonScope();
  Cache.instance();
  assert.throws(() => Cache.useRemote(pair.guest), {
    message: 'Cannot use a remote "Cache" as it must come before the first use: it is in use here',
  });
});

Deno.test("exposeSingleton() refuses two classes with one id", async () => {
  await using pair = await sessionPair();
  using _scope = singletonScope();
  exposeSingleton(pair.host, Registry);
  assert.throws(() => exposeSingleton(pair.host, Other), {
    message: 'Cannot expose "Registry" as names must be unique: it is registered already',
  });
});

Deno.test("A remote singleton survives a reconnect", async () => {
  using _hostScope = singletonScope();
  const first = await sessionPair();
  exposeSingleton(first.host, Cache);
  const second = await sessionPair();
  exposeSingleton(second.host, Cache);
  using _guestScope = singletonScope();
  const proxy = Cache.useRemote(first.guest);
  await proxy.add("before");
  await first[Symbol.asyncDispose]();
  assert.equal(Cache.useRemote(second.guest), proxy);
  assert.equal(await proxy.size(), 1);
  await second[Symbol.asyncDispose]();
});
