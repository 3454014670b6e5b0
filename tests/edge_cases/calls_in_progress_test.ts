import assert from "node:assert/strict";
import { until } from "../rpc/until.ts";
import { testHost } from "../testing/fixtures.ts";

interface Slow {
  wait(job: { signal: AbortSignal }): [boolean, string];
  rows(count: number, signal?: AbortSignal): AsyncGenerator<number, string>;
  ask(): string;
  shout(): void;
}

const SLOW = `
  import { emit, progress, service } from "@cordon/cordon/plugin";
  const watch = service("watch");
  export const wait = ({ signal }) => {
    progress("waiting");
    return new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve([signal instanceof AbortSignal, signal.reason.message])));
  };
  export async function* rows(count, signal) {
    for (let row = 0; row < count && !signal?.aborted; row++) { await progress(row / count); yield row; }
    return String(signal?.reason);
  }
  export async function ask() {
    const controller = new AbortController();
    const answer = watch.until(controller.signal);
    controller.abort(new RangeError("by the plugin"));
    return await answer;
  }
  export const shout = () => { progress(1); emit("news", 1); };
`;

const watch = {
  until: (signal: AbortSignal) =>
    new Promise((resolve) =>
      signal.addEventListener("abort", () => resolve(`${signal.reason.name} ${signal.reason.message}`))
    ),
};

Deno.test("an AbortSignal inside the arguments aborts in the plugin, and one of the plugin in the host", async () => {
  await using test = await testHost({ services: { watch } });
  await using plugin = await test.host.load<Slow>(await test.plugin(SLOW), { services: ["watch"] });
  const controller = new AbortController();
  const begun = Promise.withResolvers<void>();
  const call = plugin.with({ onProgress: () => begun.resolve() }).wait({ signal: controller.signal });
  await begun.promise;
  controller.abort(new Error("by the host"));
  assert.deepEqual(await call, [true, "by the host"]);
  assert.equal(await plugin.api.ask(), "RangeError by the plugin");
  const { signalsIn, signalsOut } = plugin.stats();
  assert.deepEqual([signalsIn, signalsOut], [0, 0]);
});

Deno.test("progress() in a generator reaches its caller for each item, and its signal stops it", async () => {
  await using test = await testHost({ services: { watch } });
  await using plugin = await test.host.load<Slow>(await test.plugin(SLOW), { services: ["watch"] });
  const heard: unknown[] = [];
  const controller = new AbortController();
  const rows = plugin.with({ onProgress: (share) => heard.push(share) }).rows(40, controller.signal);
  for (let row = 0; row < 40; row++) assert.equal((await rows.next()).value, row);
  assert.deepEqual(await rows.next(), { done: true, value: "undefined" });
  assert.deepEqual(heard, Array.from({ length: 40 }, (_, row) => row / 40));
  const endless = plugin.api.rows(Infinity, controller.signal);
  for (let row = 0; row < 40; row++) await endless.next();
  controller.abort("enough");
  let step = await endless.next();
  while (step.done !== true) step = await endless.next();
  assert.equal(step.value, "enough");
});

Deno.test("a handler that throws is told to listener-error, with the plugin", async () => {
  await using test = await testHost({ services: { watch } });
  await using plugin = await test.host.load<Slow>(await test.plugin(SLOW), {
    name: "slow",
    services: ["watch"],
  });
  const failures: unknown[] = [];
  test.host.on("listener-error", ({ event, error, plugin }) =>
    void failures.push([event, (error as Error).message, plugin]));
  plugin.on("news", () => {
    throw new Error("synchronous");
  });
  plugin.on("news", () => Promise.reject(new Error("asynchronous")));
  const loud = plugin.with({
    onProgress() {
      throw new Error("progress");
    },
  });
  await loud.shout();
  await plugin.api.ask();
  assert.deepEqual(failures, [
    ["onProgress", "progress", "slow"],
    ['handler of event "news"', "synchronous", "slow"],
    ['handler of event "news"', "asynchronous", "slow"],
  ]);
});

Deno.test("a call without a reply is sent and no more, in both directions; its failure is told where it ran", async () => {
  const told = Promise.withResolvers<unknown>();
  const notes = {
    take(note: string) {
      if (note === "bad") throw new RangeError("no such note");
      told.resolve(note);
    },
  };
  await using test = await testHost({ services: { notes } });
  const code = `
    import { emit, hostRpc } from "@cordon/cordon/plugin";
    const done = [];
    export const work = async (what) => {
      if (what === "fail") throw new TypeError("nobody waits");
      done.push(what);
      for (const note of ["bad", "good"]) {
        if (await hostRpc().call("notes", "take", [note], { wantsReply: false }) !== undefined) throw new Error("a reply");
      }
      emit("worked", { what });
      return "dropped";
    };
    export const list = () => done;
  `;
  await using plugin = await test.host.load<{ work(what: string): Promise<string>; list(): string[] }>(
    await test.plugin(code),
    { name: "quiet", services: ["notes"] },
  );
  const failures: unknown[] = [];
  const lines: string[] = [];
  test.host.on("listener-error", ({ event, error, plugin }) =>
    void failures.push([event, (error as Error).message, plugin]));
  test.host.on("output", ({ line }) => void lines.push(line));
  const worked = Promise.withResolvers<{ what: string }>();
  plugin.on<{ what: string }>("worked", worked.resolve);
  const quiet = plugin.with({ wantsReply: false });
  assert.equal(await quiet.work("fail"), undefined);
  assert.equal(await quiet.work("sweep"), undefined);
  assert.equal((await worked.promise).what, "sweep");
  assert.equal(await told.promise, "good");
  assert.deepEqual(await plugin.api.list(), ["sweep"]);
  assert.deepEqual(failures, [['notification "notes.take"', "no such note", "quiet"]]);
  await until(() => lines.some((line) => line.includes("TypeError: nobody waits")));
  assert.deepEqual([plugin.stats().pendingOut, plugin.stats().pendingIn], [0, 0]);
});

Deno.test("a call without a reply may throw what cannot be read: it is told as that, and the plugin lives on", async () => {
  await using test = await testHost();
  const code = `
    const refuse = () => { throw new Error("not to be read"); };
    const odd = [
      { toString: refuse },
      Object.create(null),
      new Proxy({}, { get: refuse, getPrototypeOf: refuse }),
      Object.assign(new Error("e"), { stack: Object.create(null) }),
    ];
    export const fail = (index) => { throw odd[index]; };
    export const failLater = (index) => Promise.reject(odd[index]);
    export const ping = () => "pong";
  `;
  await using plugin = await test.host.load<
    { fail(index: number): void; failLater(index: number): void; ping(): string }
  >(
    await test.plugin(code),
  );
  const lines: string[] = [];
  test.host.on("output", ({ line }) => void lines.push(line));
  const quiet = plugin.with({ wantsReply: false });
  for (const index of [0, 1, 2, 3]) {
    await quiet.fail(index);
    await quiet.failLater(index);
    assert.equal(await plugin.api.ping(), "pong");
  }
  const told = "Something was thrown that cannot be shown: reading it throws";
  await until(() => lines.filter((line) => line.includes(told)).length === 8);
});
