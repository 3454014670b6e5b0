import assert from "node:assert/strict";
import type { FileChange } from "../../src/config/types.ts";
import { pollFiles } from "../../src/supervisor/poll_files.ts";
import { type FileWatch, watchFiles } from "../../src/supervisor/watch_files.ts";
import { systemClock } from "../../src/util/clock.ts";
import { FakeClock } from "../util/fake_clock.ts";

/** A directory with one file, and what a watch of it tells. */
class Harness implements AsyncDisposable {
  readonly changes: FileChange[] = [];
  readonly fallbacks: unknown[] = [];
  readonly root = Deno.makeTempDirSync({ prefix: "cordon-watch-" });
  readonly directory = `${this.root}/plugin`;
  readonly file = `${this.directory}/main.ts`;
  readonly watch: FileWatch;
  #wake = Promise.withResolvers<void>();

  constructor() {
    Deno.mkdirSync(this.directory);
    Deno.writeTextFileSync(this.file, "1");
    this.watch = watchFiles([this.file], {
      onChange: (change) => {
        this.changes.push(change);
        this.#wake.resolve();
      },
      onFallback: (error) => this.fallbacks.push(error),
    }, systemClock());
  }

  /** Waits until some change satisfies `wanted`. */
  async until(wanted: (change: FileChange) => boolean): Promise<void> {
    while (!this.changes.some(wanted)) {
      await this.#wake.promise;
      this.#wake = Promise.withResolvers();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.watch[Symbol.dispose]();
    await Deno.remove(this.root, { recursive: true });
    assert.deepEqual(this.fallbacks, []);
  }
}

Deno.test("watchFiles() tells about a file that is written in place", async () => {
  await using harness = new Harness();
  await Deno.writeTextFile(harness.file, "2");
  await harness.until((change) => change.path === harness.file && change.kind === "modify");
});

Deno.test("watchFiles() tells about a file that is renamed over the old one", async () => {
  await using harness = new Harness();
  const temporary = `${harness.directory}/.main.ts.swp`;
  await Deno.writeTextFile(temporary, "2");
  await Deno.rename(temporary, harness.file);
  await harness.until((change) => change.path === harness.file);
});

Deno.test("watchFiles() goes on when the whole directory is replaced", async () => {
  await using harness = new Harness();
  await Deno.remove(harness.directory, { recursive: true });
  await harness.until((change) => change.path === harness.file && change.kind === "remove");
  await Deno.mkdir(harness.directory);
  await Deno.writeTextFile(harness.file, "2");
  await harness.until((change) => change.path === harness.file && change.kind === "create");
  harness.changes.length = 0;
  await Deno.writeTextFile(harness.file, "3");
  await harness.until((change) => change.path === harness.file && change.kind === "modify");
});

Deno.test("FileWatch.update() watches other files from then on", async () => {
  await using harness = new Harness();
  const other = `${harness.root}/other.ts`;
  await Deno.writeTextFile(other, "1");
  harness.watch.update([harness.file, other]);
  await Deno.writeTextFile(other, "2");
  await harness.until((change) => change.path === other);
});

Deno.test("pollFiles() tells what was created, changed and removed between two looks", async () => {
  const directory = await Deno.makeTempDir({ prefix: "cordon-poll-" });
  const [kept, changed, added, removed] = ["kept", "changed", "added", "removed"].map((name) =>
    `${directory}/${name}`
  );
  assert.ok(kept !== undefined && changed !== undefined && added !== undefined && removed !== undefined);
  for (const file of [kept, changed, removed]) await Deno.writeTextFile(file, "1");
  const clock = new FakeClock();
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  using _polling = pollFiles([kept, changed, added, removed], ({ path, kind }) => {
    seen.push(`${path.slice(directory.length + 1)} ${kind}`);
    if (seen.length === 3) done.resolve();
  }, clock);
  while (clock.pending === 0) await clock.advance(0);
  await Deno.writeTextFile(changed, "12");
  await Deno.writeTextFile(added, "1");
  await Deno.remove(removed);
  await clock.advance(1_000);
  await done.promise;
  assert.deepEqual(seen, ["changed modify", "added create", "removed remove"]);
  await Deno.remove(directory, { recursive: true });
});
