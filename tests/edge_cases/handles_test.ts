/** Objects that stay where they are, and what returns streams. */

import assert from "node:assert/strict";
import { type Callback, DisposedError, type Handle, handle, type RemoteHandle } from "../../mod.ts";
import { testHost } from "../testing/fixtures.ts";

interface Page {
  title(): string;
  lines(): AsyncGenerator<string, void>;
}

interface Browser {
  open(name: string): Handle<Page>;
  held(): number;
  titleOf(page: RemoteHandle<Page>, shown: Callback<(title: string) => boolean>): Promise<string>;
}

const BROWSER = `
  import { type Callback, handle, type RemoteHandle } from "@cordon/cordon/plugin";
  class Page {
    #name: string;
    constructor(name: string) { this.#name = name; }
    title(): string { return "title of " + this.#name; }
    async *lines(): AsyncGenerator<string, void> { yield this.#name; yield "end"; }
    _secret(): number { return 1; }
  }
  export const open = (name: string) => handle(new Page(name));
  export async function titleOf(page: RemoteHandle<Page>, shown: Callback<(title: string) => boolean>) {
    using _page = page, _shown = shown;
    const lines = await Array.fromAsync(page.lines());
    const title = [await page.title(), ...lines].join();
    return await shown(title) ? title : "";
  }
`;

Deno.test("a handle is used like a plugin, in both directions, and is given back by using", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Browser>(await test.plugin(BROWSER));
  let left: RemoteHandle<Page>;
  {
    using page = await plugin.api.open("a");
    left = page;
    const title: string = await page.title();
    assert.equal(title, "title of a");
    const lines: string[] = [];
    for await (const line of page.lines()) lines.push(line);
    assert.deepEqual(lines, ["a", "end"]);
    assert.deepEqual(Object.keys(page), ["title", "lines"]);
    assert.equal(plugin.stats().imported, 1);
  }
  assert.equal(plugin.stats().imported, 0);
  await assert.rejects(left.title(), DisposedError);
  const mine: Page = {
    title: () => "mine",
    async *lines() {
      yield await Promise.resolve("one");
    },
  };
  assert.equal(await plugin.api.titleOf(handle(mine), (title) => title.length > 0), "mine,one");
  assert.equal(plugin.stats().exported, 0);
});

Deno.test("what returns a stream without being a generator is awaited first, and next() sends nothing back", async () => {
  await using test = await testHost({
    services: { feed: { rows: () => new ReadableStream({ start: (it) => (it.enqueue(1), it.close()) }) } },
  });
  const file = await test.plugin(`
    import { service } from "@cordon/cordon/plugin";
    export async function* rows(): AsyncGenerator<unknown, string> { yield 1; yield (yield 2) ?? "nothing"; return "end"; }
    export async function wrapped() { return rows(); }
    const feed = service<{ rows(): ReadableStream<number> }>("feed");
    export const ofService = async () => await Array.fromAsync(await feed.rows());
  `);
  await using plugin = await test.host.load<{
    rows(): AsyncGenerator<unknown, string>;
    wrapped(): Promise<AsyncIterable<unknown>>;
    ofService(): number[];
  }>(file, { services: ["feed"] });
  assert.deepEqual(await Array.fromAsync(await plugin.api.wrapped()), [1, 2, "nothing"]);
  const rows = plugin.api.rows() as AsyncIterator<unknown, string, unknown>;
  const steps = [await rows.next(), await rows.next("x"), await rows.next("y"), await rows.next()];
  assert.deepEqual(steps.map(({ value }) => value), [1, 2, "nothing", "end"]);
  assert.deepEqual(await plugin.api.ofService(), [1]);
});
