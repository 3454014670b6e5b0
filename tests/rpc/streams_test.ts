import assert from "node:assert/strict";
import { DisposedError, PluginCrashedError } from "../../src/errors.ts";
import { currentCall, loadAmbientStore, type RpcFunction } from "../../src/rpc/mod.ts";
import { collectGarbage } from "./collect_garbage.ts";
import { type Joint, sessionPair } from "./session_pair.ts";
import { until } from "./until.ts";

async function* numbers(count: number): AsyncGenerator<number, string> {
  for (let number = 0; number < count; number++) yield await Promise.resolve(number);
  return "over";
}

async function collected(stream: AsyncIterable<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of stream) items.push(item);
  return items;
}

for (const joint of ["memory", "socket"] as const satisfies readonly Joint[]) {
  Deno.test(`RpcSession.stream() yields a generator's items in order over ${joint}`, async () => {
    await using pair = await sessionPair({}, joint);
    pair.guest.expose("rows", new Map([["all", numbers]]));
    assert.deepEqual(
      await collected(pair.host.stream("rows", "all", [100])),
      Array.from({ length: 100 }, (_, i) => i),
    );
  });

  Deno.test(`ReadableStream crosses as an argument and as a result over ${joint}`, async () => {
    await using pair = await sessionPair({}, joint);
    pair.guest.expose(
      "pipe",
      new Map([["upper", (source: ReadableStream<string>) => {
        assert.ok(source instanceof ReadableStream);
        return source.pipeThrough(
          new TransformStream({ transform: (text, controller) => controller.enqueue(text.toUpperCase()) }),
        );
      }]]),
    );
    const result = await pair.host.call("pipe", "upper", [ReadableStream.from(["a", "b"])]);
    assert.ok(result instanceof ReadableStream);
    assert.deepEqual(await collected(result), ["A", "B"]);
    await until(() => pair.host.stats().streamsOut + pair.guest.stats().streamsOut === 0);
  });
}

Deno.test("RpcSession.stream() carries what a generator returns and throws", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "rows",
    new Map([["all", numbers], ["fail", async function* () {
      yield 1;
      await Promise.resolve();
      throw new RangeError("no more");
    }]]),
  );
  const stream = pair.host.stream("rows", "all", [1]);
  assert.deepEqual(await stream.next(), { done: false, value: 0 });
  assert.deepEqual(await stream.next(), { done: true, value: "over" });
  assert.deepEqual(await stream.next(), { done: true, value: undefined });
  const failing = pair.host.stream("rows", "fail", []);
  assert.equal((await failing.next()).value, 1);
  await assert.rejects(failing.next(), { name: "RangeError", message: "no more" });
});

Deno.test("RpcSession.stream() takes synchronous generators and rejects what is no stream", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "rows",
    new Map<string, RpcFunction>([["sync", function* () {
      yield 1;
      yield 2;
    }], ["none", () => 5]]),
  );
  assert.deepEqual(await collected(pair.host.stream("rows", "sync", [])), [1, 2]);
  await assert.rejects(pair.host.stream("rows", "none", []).next(), {
    name: "TypeError",
    message: 'Cannot iterate over "rows.none" as it must return a stream: it does not',
  });
});

Deno.test("A slow reader holds the writer back", async () => {
  await using pair = await sessionPair({ both: { limits: { streamWindowItems: 4 } } }, "socket");
  let made = 0;
  pair.guest.expose(
    "rows",
    new Map([["all", async function* () {
      for (;;) yield await Promise.resolve(made++);
    }]]),
  );
  const stream = pair.host.stream("rows", "all", []);
  await stream.next();
  for (let turn = 0; turn < 20; turn++) await pair.host.ping();
  // One taken, four in the window, and one that waits for credit inside the generator's next().
  assert.ok(made <= 6, `${made} items were made`);
  for (let index = 1; index < 50; index++) assert.equal((await stream.next()).value, index);
  assert.ok(made <= 56, `${made} items were made`);
  await stream.return?.();
  await until(() => pair.guest.stats().streamsOut === 0);
});

Deno.test("A slow reader holds the writer back by bytes", async () => {
  await using pair = await sessionPair({ both: { limits: { streamWindowBytes: 1000 } } });
  let made = 0;
  pair.guest.expose(
    "rows",
    new Map([["all", async function* () {
      for (; made < 20; made++) yield await Promise.resolve(new Uint8Array(600));
    }]]),
  );
  const stream = pair.host.stream("rows", "all", []);
  await stream.next();
  for (let turn = 0; turn < 20; turn++) await pair.host.ping();
  assert.ok(made <= 4, `${made} items were made`);
  assert.equal((await collected(stream)).length, 19);
});

Deno.test("Leaving a loop runs the generator's finally on the other side", async () => {
  await using pair = await sessionPair();
  const cleaned = Promise.withResolvers<void>();
  pair.guest.expose(
    "rows",
    new Map([["all", async function* () {
      try {
        for (let row = 0;; row++) yield await Promise.resolve(row);
      } finally {
        cleaned.resolve();
      }
    }]]),
  );
  for await (const row of pair.host.stream("rows", "all", [])) if (row === 3) break;
  await cleaned.promise;
  await until(() => pair.host.stats().streamsIn + pair.guest.stats().streamsOut === 0);
});

Deno.test("A signal ends a stream that waits, and aborts the generator's own signal", async () => {
  await using pair = await sessionPair({ guest: { ambient: await loadAmbientStore() } });
  const aborted = Promise.withResolvers<void>();
  pair.guest.expose(
    "rows",
    new Map([["all", async function* () {
      const signal = currentCall()!.signal;
      signal.addEventListener("abort", () => aborted.resolve());
      yield 1;
      await aborted.promise;
    }]]),
  );
  const controller = new AbortController();
  const stream = pair.host.stream("rows", "all", [], { signal: controller.signal });
  assert.equal((await stream.next()).value, 1);
  const next = stream.next();
  const reason = new Error("enough");
  controller.abort(reason);
  await assert.rejects(next, (error) => error === reason);
  await aborted.promise;
  await until(() => pair.host.stats().streamsIn + pair.guest.stats().streamsOut === 0);
});

Deno.test("An async iterable crosses as an argument", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "sum",
    new Map([["all", async (items: AsyncIterable<number>) => {
      let sum = 0;
      for await (const item of items) sum += item;
      return sum;
    }]]),
  );
  assert.equal(await pair.host.call("sum", "all", [numbers(101)]), 5050);
});

Deno.test("An item that cannot cross ends the stream with its path, and the source returns", async () => {
  await using pair = await sessionPair();
  const returned = Promise.withResolvers<void>();
  pair.guest.expose(
    "rows",
    new Map([["bad", async function* () {
      try {
        yield await Promise.resolve({ a: Symbol("x") });
      } finally {
        returned.resolve();
      }
    }]]),
  );
  await assert.rejects(collected(pair.host.stream("rows", "bad", [])), {
    name: "SerializationError",
    path: "$.item.a",
  });
  await returned.promise;
});

Deno.test("Cancelling a ReadableStream stops its source on the other side", async () => {
  await using pair = await sessionPair();
  const cancelled = Promise.withResolvers<void>();
  pair.guest.expose(
    "tail",
    new Map([["lines", () =>
      new ReadableStream({
        pull: (controller) => controller.enqueue("line"),
        cancel: () => cancelled.resolve(),
      })]]),
  );
  const stream = await pair.host.call("tail", "lines", []) as ReadableStream<string>;
  const reader = stream.getReader();
  assert.equal((await reader.read()).value, "line");
  await reader.cancel();
  await cancelled.promise;
  await until(() => pair.host.stats().streamsIn + pair.guest.stats().streamsOut === 0);
});

Deno.test("Streams fail on both sides when the session ends", async () => {
  const crash = new PluginCrashedError("it died", { reason: "signal" });
  await using pair = await sessionPair({ host: { onPeerClosed: () => Promise.resolve(crash) } });
  const returned = Promise.withResolvers<void>();
  pair.guest.expose(
    "rows",
    new Map([["all", async function* () {
      try {
        for (;;) yield await Promise.resolve(1);
      } finally {
        returned.resolve();
      }
    }]]),
  );
  const stream = pair.host.stream("rows", "all", []);
  await stream.next();
  pair.guest.close();
  await returned.promise;
  await assert.rejects(collected(stream), (error) => error === crash);
  await assert.rejects(pair.host.stream("rows", "all", []).next(), (error) => error === crash);
  assert.throws(() => pair.guest.emit("x"), DisposedError);
});

Deno.test("A stream that user code forgot is stopped", async () => {
  await using pair = await sessionPair();
  pair.guest.expose(
    "rows",
    new Map<string, RpcFunction>([
      ["all", () => numbers(1000)],
      ["lines", () => ReadableStream.from(numbers(1000))],
    ]),
  );
  for (let index = 0; index < 50; index++) await pair.host.call("rows", "all", []);
  for (let index = 0; index < 50; index++) await pair.host.call("rows", "lines", []);
  await until(() => pair.host.stats().streamsIn + pair.guest.stats().streamsOut === 0, collectGarbage);
});

Deno.test("maxStreams bounds what is open, and the session goes on", async () => {
  await using pair = await sessionPair({ both: { limits: { maxStreams: 2 } } });
  pair.guest.expose(
    "take",
    new Map([["all", async (...streams: AsyncIterable<unknown>[]) => {
      const lists = await Promise.all(streams.map(collected));
      return lists.length;
    }]]),
  );
  await assert.rejects(pair.host.call("take", "all", [numbers(1), numbers(1), numbers(1)]), {
    name: "LimitExceededError",
    limit: "maxStreams",
  });
  assert.equal(await pair.host.call("take", "all", [numbers(1), numbers(1)]), 2);
});

Deno.test("A stream that answers a call nobody waits for is stopped at once", async () => {
  await using pair = await sessionPair();
  const answer = Promise.withResolvers<void>();
  pair.guest.expose(
    "rows",
    new Map([["late", async () => {
      await answer.promise;
      return [numbers(1000), () => 1];
    }]]),
  );
  const controller = new AbortController();
  const call = pair.host.call("rows", "late", [], { signal: controller.signal });
  controller.abort("enough");
  await assert.rejects(call, (error) => error === "enough");
  answer.resolve();
  await until(() => pair.host.stats().pendingOut === 0);
  await until(() =>
    pair.host.stats().streamsIn + pair.guest.stats().streamsOut + pair.guest.stats().exported === 0
  );
});

/** Its `return()` throws at once instead of rejecting. */
class Careless implements AsyncIterable<number> {
  returned = 0;
  [Symbol.asyncIterator](): AsyncIterator<number> {
    return {
      next: () => Promise.resolve({ done: false, value: 1 }),
      return: () => {
        this.returned++;
        throw new Error("careless");
      },
    };
  }
}

Deno.test("A source whose return() throws breaks nothing when its reader leaves", async () => {
  await using pair = await sessionPair();
  const source = new Careless();
  pair.guest.expose("rows", new Map<string, RpcFunction>([["all", () => source], ["ping", () => "pong"]]));
  for await (const _row of pair.host.stream("rows", "all", [])) break;
  assert.equal(await pair.host.call("rows", "ping", []), "pong");
  assert.equal(source.returned, 1);
  await until(() => pair.guest.stats().streamsOut === 0);
});

Deno.test("A source whose return() throws does not keep its session from closing", async () => {
  await using pair = await sessionPair();
  const source = new Careless();
  pair.guest.expose("rows", new Map([["all", () => source]]));
  assert.deepEqual(await pair.host.stream("rows", "all", []).next(), { done: false, value: 1 });
  pair.host.close();
  await Promise.all([pair.host.closed, pair.guest.closed]);
  assert.equal(source.returned, 1);
});

Deno.test("An item that cannot cross ends the stream with its path, whatever the source's return() does", async () => {
  const endings: readonly (() => Promise<never>)[] = [
    () => new Promise(() => {}),
    () => Promise.reject(new Error("in return()")),
  ];
  for (const ending of endings) {
    await using pair = await sessionPair();
    const item = { done: false, value: { a: Symbol("b") } };
    const source = new (class {
      [Symbol.asyncIterator](): AsyncIterator<unknown> {
        return { next: () => Promise.resolve(item), return: ending };
      }
    })();
    pair.guest.expose("rows", new Map([["all", () => source]]));
    await assert.rejects(pair.host.stream("rows", "all", []).next(), {
      name: "SerializationError",
      path: "$.item.a",
    });
    await until(() => pair.guest.stats().streamsOut === 0);
  }
});
