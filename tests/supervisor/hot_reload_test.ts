import assert from "node:assert/strict";
import { watchConfig } from "../../src/config/watch.ts";
import type { FileChange } from "../../src/config/types.ts";
import { HotReload, type ReloadEvent } from "../../src/supervisor/hot_reload.ts";
import type { WatchListener } from "../../src/supervisor/watch_files.ts";
import { FakeClock, settle } from "../util/fake_clock.ts";

/** A hot reload over files that the test changes by hand. */
class Harness implements Disposable {
  readonly clock = new FakeClock();
  readonly events: string[] = [];
  /** What each reload waits for or rejects with; none: it succeeds at once. */
  readonly outcomes: (Promise<void> | Error)[] = [];
  files: string[] = ["/p/main.ts", "/p/util.ts"];
  readonly updates: (readonly string[])[] = [];
  reloads = 0;
  listener: WatchListener | null = null;
  readonly hot: HotReload;

  constructor(options: unknown = true) {
    this.hot = new HotReload({
      config: watchConfig(options, "watch"),
      clock: this.clock,
      files: () => this.files,
      reload: () => this.#reload(),
      report: (event) => this.events.push(described(event)),
      watch: (_files, listener) => {
        this.listener = listener;
        return {
          update: (files) => void this.updates.push(files),
          [Symbol.dispose]: () => this.listener = null,
        };
      },
    });
  }

  touch(path = "/p/main.ts", kind: FileChange["kind"] = "modify"): void {
    this.listener?.onChange({ path, kind, at: this.clock.now() });
  }

  async #reload(): Promise<void> {
    this.reloads++;
    const outcome = this.outcomes.shift();
    if (outcome instanceof Error) throw outcome;
    await outcome;
  }

  [Symbol.dispose](): void {
    this.hot[Symbol.dispose]();
    assert.equal(this.clock.pending, 0, "no timer is left");
  }
}

function described(event: ReloadEvent): string {
  switch (event.kind) {
    case "reloading":
      return `reloading ${event.changes.length}`;
    case "failed":
      return `failed ${(event.error as Error).message}`;
    case "paused":
      return `paused until ${event.until}`;
    default:
      return event.kind;
  }
}

Deno.test("HotReload reloads once for ten changes, after they have settled", async () => {
  using harness = new Harness();
  for (let count = 0; count < 10; count++) {
    harness.touch();
    await harness.clock.advance(100);
  }
  assert.equal(harness.reloads, 0);
  await harness.clock.advance(400);
  assert.deepEqual(harness.events, ["reloading 10", "reloaded"]);
});

Deno.test("HotReload does not care about files that the plugin is not made of", async () => {
  using harness = new Harness();
  harness.touch("/p/notes.ts");
  await harness.clock.advance(10_000);
  assert.equal(harness.reloads, 0);
});

Deno.test("HotReload reloads again for what changed during a reload: the last content wins", async () => {
  using harness = new Harness();
  const first = Promise.withResolvers<void>();
  harness.outcomes.push(first.promise);
  harness.touch();
  await harness.clock.advance(500);
  harness.touch();
  await harness.clock.advance(500);
  assert.equal(harness.reloads, 1, "one at a time");
  first.resolve();
  await settle();
  assert.deepEqual(harness.events, ["reloading 1", "reloaded", "reloading 1", "reloaded"]);
});

Deno.test("HotReload tells about a failure, and a fixed file recovers", async () => {
  using harness = new Harness();
  harness.outcomes.push(new Error("syntax"));
  harness.touch();
  await harness.clock.advance(500);
  harness.touch();
  await harness.clock.advance(500);
  assert.deepEqual(harness.events, ["reloading 1", "failed syntax", "reloading 1", "reloaded"]);
});

Deno.test("HotReload after a failure reloads for a file that it has never seen", async () => {
  using harness = new Harness();
  harness.outcomes.push(new Error("syntax error in new.ts"));
  harness.touch();
  await harness.clock.advance(500);
  harness.touch("/p/README.md");
  harness.touch("/p/new.ts");
  await harness.clock.advance(500);
  assert.deepEqual(harness.events.slice(2), ["reloading 1", "reloaded"]);
});

Deno.test("HotReload watches the files of the new version", async () => {
  using harness = new Harness();
  harness.files = ["/p/main.ts", "/p/lib/new.ts"];
  harness.touch();
  await harness.clock.advance(500);
  assert.deepEqual(harness.updates, [["/p/main.ts", "/p/lib/new.ts"]]);
  harness.touch("/p/util.ts");
  await harness.clock.advance(500);
  assert.equal(harness.reloads, 1);
  harness.touch("/p/lib/new.ts");
  await harness.clock.advance(500);
  assert.equal(harness.reloads, 2);
});

Deno.test("HotReload pauses after three failures in a row and then tries once with the last content", async () => {
  using harness = new Harness();
  harness.outcomes.push(new Error("1"), new Error("2"), new Error("3"));
  for (let count = 0; count < 4; count++) {
    harness.touch();
    await harness.clock.advance(500);
  }
  assert.equal(harness.reloads, 3);
  assert.equal(harness.events.at(-1), "paused until 61500");
  harness.touch();
  await harness.clock.advance(59_000);
  assert.equal(harness.reloads, 3);
  await harness.clock.advance(1_000);
  assert.deepEqual(harness.events.slice(-2), ["reloading 2", "reloaded"]);
});

Deno.test("HotReload tells when files are compared at intervals instead", () => {
  using harness = new Harness();
  harness.listener?.onFallback(new Error("ENOSPC"));
  assert.deepEqual(harness.events, ["polling"]);
});

Deno.test("HotReload stops watching when it is disposed, also in a pause and during a reload", async () => {
  const paused = new Harness({ maxFailures: 1 });
  paused.outcomes.push(new Error("1"));
  paused.touch();
  await paused.clock.advance(500);
  paused.touch();
  await paused.clock.advance(500);
  assert.equal(paused.clock.pending, 1);
  paused[Symbol.dispose]();
  assert.equal(paused.listener, null);

  const busy = new Harness();
  const reload = Promise.withResolvers<void>();
  busy.outcomes.push(reload.promise);
  busy.touch();
  await busy.clock.advance(500);
  busy[Symbol.dispose]();
  reload.resolve();
  await settle();
  assert.deepEqual([busy.updates.length, busy.clock.pending], [0, 0]);
});
