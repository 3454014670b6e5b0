import assert from "node:assert/strict";
import { DisposedError, LimitExceededError, SerializationError } from "../../src/errors.ts";
import { handle, type RemoteHandle } from "../../src/proxy/mod.ts";
import { currentCall, loadAmbientStore, type RemoteCallback, type RpcFunction } from "../../src/rpc/mod.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { sessionPair } from "./session_pair.ts";
import { until } from "./until.ts";

class Page {
  #closed = false;
  title(): string {
    return this.#closed ? "closed" : "open";
  }
  close(): void {
    this.#closed = true;
  }
  _secret(): string {
    return "x";
  }
}

Deno.test("A function crosses as a callback, both ways, and can be called more than once", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "list",
    new Map([["map", async (items: number[], each: RemoteCallback) => {
      using callback = each;
      return await Promise.all(items.map((item) => callback(item)));
    }]]),
  );
  assert.deepEqual(await pair.host.call("list", "map", [[1, 2, 3], (item: number) => item * 2]), [2, 4, 6]);
  await until(() => pair.host.stats().exported === 0);
});

Deno.test("A function that is returned can be called", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("counter", new Map([["make", (start: number) => () => ++start]]));
  using next = await pair.host.call("counter", "make", [5]) as RemoteCallback;
  assert.deepEqual([await next(), await next()], [6, 7]);
  assert.equal(pair.guest.stats().exported, 1);
});

Deno.test("A callback keeps its identity, and is itself again when it comes home", async () => {
  await using pair = await sessionPair();
  const kept: unknown[] = [];
  pair.guest.expose(
    "keep",
    new Map([["echo", (callback: unknown) => {
      kept.push(callback);
      return callback;
    }]]),
  );
  const callback = () => 1;
  assert.equal(await pair.host.call("keep", "echo", [callback]), callback);
  assert.equal(await pair.host.call("keep", "echo", [callback]), callback);
  assert.equal(kept[0], kept[1]);
  assert.equal(pair.host.stats().exported, 1);
  (kept[0] as RemoteCallback)[Symbol.dispose]();
  await until(() => pair.host.stats().exported === 0);
});

Deno.test("A disposed callback rejects on this side and cannot be sent", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("make", new Map<string, RpcFunction>([["callback", () => () => 1], ["take", () => 2]]));
  const callback = await pair.host.call("make", "callback", []) as RemoteCallback;
  callback[Symbol.dispose]();
  callback[Symbol.dispose]();
  await assert.rejects(callback(), DisposedError);
  await assert.rejects(pair.host.call("make", "take", [callback]), DisposedError);
});

Deno.test("handle() gives the peer a remote object with its methods and no others", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("browser", new Map([["open", () => handle(new Page())]]));
  const page = await pair.host.call("browser", "open", []) as Record<string, RpcFunction> & Disposable;
  assert.deepEqual(Object.keys(page), ["title", "close"]);
  assert.equal(Object.getPrototypeOf(page), null);
  assert.equal(await page.title!(), "open");
  await page.close!();
  assert.equal(await page.title!(), "closed");
  page[Symbol.dispose]();
  await until(() => pair.guest.stats().exported === 0);
  await assert.rejects(page.title!() as Promise<unknown>, DisposedError);
});

Deno.test("handle() lists methods, and the object is itself again when it comes home", async () => {
  await using pair = await sessionPair();
  const page = new Page();
  const seen: unknown[] = [];
  pair.guest.expose(
    "browser",
    new Map<string, RpcFunction>([
      ["open", () => handle(page, ["title"])],
      ["same", (other: unknown) => seen.push(other)],
    ]),
  );
  await using remote = await pair.host.call("browser", "open", []) as AsyncDisposable;
  assert.deepEqual(Object.keys(remote), ["title"]);
  await pair.host.call("browser", "same", [remote]);
  assert.equal(seen[0], page);
  assert.throws(() => handle(page, ["_secret"]), TypeError);
});

class Book {
  *pages(count: number): Generator<number, string> {
    for (let page = 1; page <= count; page++) yield page;
    return "end";
  }
  async *lines(): AsyncGenerator<string> {
    yield await Promise.resolve("a line");
  }
  title(): string {
    return "a title";
  }
}

Deno.test("Generators of a handle are async iterators, and leaving one runs its finally", async () => {
  await using pair = await sessionPair();
  const left = Promise.withResolvers<void>();
  const endless = {
    async *rows(): AsyncGenerator<number> {
      try {
        for (let row = 0;; row++) yield await Promise.resolve(row);
      } finally {
        left.resolve();
      }
    },
  };
  pair.guest.expose(
    "shelf",
    new Map<string, RpcFunction>([["book", () => handle(new Book())], ["endless", () => handle(endless)]]),
  );
  using book = await pair.host.call("shelf", "book", []) as RemoteHandle<Book>;
  assert.deepEqual(await Array.fromAsync(book.pages(3)), [1, 2, 3]);
  assert.deepEqual(await Array.fromAsync(book.lines()), ["a line"]);
  assert.equal(await book.title(), "a title");
  using open = await pair.host.call("shelf", "endless", []) as RemoteHandle<typeof endless>;
  for await (const row of open.rows()) {
    if (row === 2) break;
  }
  await left.promise;
  book[Symbol.dispose]();
  await assert.rejects(book.pages(1).next(), DisposedError);
});

Deno.test("A method that was taken out of a remote object holds it", async () => {
  await using pair = await sessionPair();
  pair.guest.expose("shelf", new Map([["book", () => handle(new Book())]]));
  const taken = async () => {
    const { title, pages } = await pair.host.call("shelf", "book", []) as RemoteHandle<Book>;
    return { title, pages };
  };
  let methods: Awaited<ReturnType<typeof taken>> | undefined = await taken();
  let rounds = 0;
  await until(() => ++rounds > 8, collectGarbage);
  assert.equal(await methods.title(), "a title");
  assert.deepEqual(await Array.fromAsync(methods.pages(2)), [1, 2]);
  methods = undefined;
  await until(() => pair.guest.stats().exported === 0, collectGarbage);
});

Deno.test("References in a call that is not sent are taken back", async () => {
  await using pair = await sessionPair();
  await assert.rejects(pair.host.call("a", "b", [() => 1, Symbol("x")]), SerializationError);
  assert.equal(pair.host.stats().exported, 0);
});

Deno.test("References in a call that cannot be served are given back", async () => {
  await using pair = await sessionPair();
  await assert.rejects(pair.host.call("nobody", "home", [() => 1]), TypeError);
  await until(() => pair.host.stats().exported === 0, collectGarbage);
});

Deno.test("Functions and streams in progress that nobody wants any more are given back, and the session goes on", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  const aborted = Promise.withResolvers<void>();
  const stopped = Promise.withResolvers<void>();
  async function* rows(): AsyncGenerator<number> {
    try {
      for (let row = 0;; row++) yield await Promise.resolve(row);
    } finally {
      stopped.resolve();
    }
  }
  pair.guest.expose(
    "a",
    new Map([["work", async () => {
      currentCall()!.signal.addEventListener("abort", () => aborted.resolve());
      await aborted.promise;
      currentCall()!.progress({ each: () => 1, rows: rows() });
      await stopped.promise;
    }]]),
  );
  const controller = new AbortController();
  const call = pair.host.call("a", "work", [], { signal: controller.signal, onProgress: () => {} });
  controller.abort("enough");
  await assert.rejects(call, (error) => error === "enough");
  await until(() => pair.host.stats().pendingOut === 0 && pair.guest.stats().exported === 0);
  assert.deepEqual([pair.guest.stats().streamsOut, pair.host.state], [0, "open"]);
});

Deno.test("Functions and streams in an event that nobody hears are given back at once", async () => {
  await using pair = await sessionPair();
  const stopped = Promise.withResolvers<void>();
  async function* rows(): AsyncGenerator<number> {
    try {
      for (let row = 0;; row++) yield await Promise.resolve(row);
    } finally {
      stopped.resolve();
    }
  }
  pair.guest.emit("tick", { each: () => 1, rows: rows() });
  await stopped.promise;
  await until(() => pair.guest.stats().exported === 0 && pair.guest.stats().streamsOut === 0);
  assert.equal(pair.host.stats().eventsUnheard, 1);
});

Deno.test("maxReferences bounds what is exported, and the session goes on", async () => {
  await using pair = await sessionPair({ both: { limits: { maxReferences: 3 } } });
  pair.guest.expose("a", new Map([["b", () => 1]]));
  const four = [1, 2, 3, 4].map((number) => () => number);
  await assert.rejects(pair.host.call("a", "b", four), LimitExceededError);
  assert.equal(pair.host.stats().exported, 0);
  assert.equal(await pair.host.call("a", "b", []), 1);
});

Deno.test("Nothing is left after 100,000 calls with callbacks, handles and results that user code forgot", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "work",
    new Map<string, RpcFunction>([
      ["use", (callback: RemoteCallback) => callback(1)],
      ["open", () => handle(new Page())],
    ]),
  );
  for (let round = 0; round < 200; round++) {
    await Promise.all(
      Array.from({ length: 250 }, () => pair.host.call("work", "use", [(value: number) => value])),
    );
    await Promise.all(Array.from({ length: 250 }, () => pair.host.call("work", "open", [])));
    if (round % 20 === 0) collectGarbage();
  }
  assert.equal(pair.host.stats().callsOut, 100_000);
  await until(() => {
    const stats = [pair.host.stats(), pair.guest.stats()];
    return stats.every(({ exported, imported, pendingIn, pendingOut }) =>
      exported + imported + pendingIn + pendingOut === 0
    );
  }, collectGarbage);
});
