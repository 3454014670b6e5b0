import assert from "node:assert/strict";
import { noteUse, pruneBundles } from "../../src/bundle/prune_bundles.ts";
import { TestProject } from "./project.ts";

const HOUR_MS = 60 * 60_000;

/** A cache with files of one KiB that were used so many hours ago. */
async function cacheWith(
  hours: Readonly<Record<string, number>>,
): Promise<AsyncDisposable & { path: string }> {
  const path = await Deno.makeTempDir({ prefix: "cordon-prune-" });
  await Deno.mkdir(`${path}/bundles`);
  for (const [name, age] of Object.entries(hours)) {
    await Deno.writeFile(`${path}/bundles/${name}`, new Uint8Array(1024));
    const used = new Date(Date.now() - age * HOUR_MS);
    await Deno.utime(`${path}/bundles/${name}`, used, used);
  }
  return { path, [Symbol.asyncDispose]: () => Deno.remove(path, { recursive: true }) };
}

function names(path: string): string[] {
  return [...Deno.readDirSync(`${path}/bundles`)].map(({ name }) => name).sort();
}

Deno.test("pruneBundles() keeps as many as may stay, those that were used last", async () => {
  await using cache = await cacheWith({ "a.bundle": 3, "b.bundle": 1, "c.bundle": 2 });
  pruneBundles(cache.path, { files: 2, bytes: 1 << 20 });
  assert.deepEqual(names(cache.path), ["b.bundle", "c.bundle"]);
});

Deno.test("pruneBundles() keeps as many bytes as may stay", async () => {
  await using cache = await cacheWith({ "a.bundle": 3, "b.bundle": 1, "c.bundle": 2 });
  pruneBundles(cache.path, { files: 9, bytes: 2047 });
  assert.deepEqual(names(cache.path), ["b.bundle"]);
});

Deno.test("pruneBundles() removes old drafts and leaves what is not its own", async () => {
  await using cache = await cacheWith({ "draft-1": 2, "draft-2": 0, "notes.txt": 99, "a.bundle": 99 });
  pruneBundles(cache.path);
  assert.deepEqual(names(cache.path), ["a.bundle", "draft-2", "notes.txt"]);
});

Deno.test("pruneBundles() looks once in ten minutes", async () => {
  await using cache = await cacheWith({ "a.bundle": 3 });
  pruneBundles(cache.path, { files: 1, bytes: 1 << 20 });
  pruneBundles(cache.path, { files: 0, bytes: 0 });
  assert.deepEqual(names(cache.path), ["a.bundle"]);
  await Deno.utime(`${cache.path}/pruned`, new Date(0), new Date(0));
  pruneBundles(cache.path, { files: 0, bytes: 0 });
  assert.deepEqual(names(cache.path), []);
});

Deno.test("noteUse() notes the use of a day, also of what is gone", async () => {
  await using cache = await cacheWith({ "old.bundle": 25, "new.bundle": 23 });
  const age = (name: string) => Date.now() - Deno.statSync(`${cache.path}/bundles/${name}`).mtime!.getTime();
  for (const name of ["old.bundle", "new.bundle", "gone.bundle"]) noteUse(`${cache.path}/bundles/${name}`);
  assert.ok(age("old.bundle") < HOUR_MS);
  assert.ok(age("new.bundle") > 22 * HOUR_MS);
});

Deno.test("bundlePlugin() makes room in a cache with too many bundles, and a hit counts as a use", async () => {
  await using project = await TestProject.create({
    "main.ts": `console.log("a");`,
    "b.ts": `console.log("b");`,
  });
  await project.bundle("main.ts");
  const directory = `${project.cacheDirectory}/bundles`;
  const [main] = [...Deno.readDirSync(directory)].map(({ name }) => name);
  const old = new Date(Date.now() - 48 * HOUR_MS);
  for (let count = 0; count < 1_000; count++) {
    const path = `${directory}/${count}.bundle`;
    Deno.writeTextFileSync(path, "");
    Deno.utimeSync(path, old, old);
  }
  Deno.utimeSync(`${directory}/${main}`, new Date(0), new Date(0));
  Deno.utimeSync(`${project.cacheDirectory}/pruned`, new Date(0), new Date(0));
  await project.bundle("main.ts");
  await project.bundle("b.ts");
  const left = [...Deno.readDirSync(directory)].map(({ name }) => name);
  assert.equal(left.length, 1_000);
  assert.ok(left.includes(main!));
});
