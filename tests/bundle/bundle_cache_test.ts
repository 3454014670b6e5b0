import assert from "node:assert/strict";
import { join } from "node:path";
import { TestProject } from "./project.ts";

/** Where the bundle of the only plugin is kept. */
async function cacheFile(project: TestProject): Promise<string> {
  const directory = join(project.cacheDirectory, "bundles");
  const names = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
  assert.equal(names.length, 1, `one bundle and no draft expected, found ${names.join(", ")}`);
  return join(directory, names[0] ?? "");
}

Deno.test("bundlePlugin() takes an unchanged plugin from the cache", async () => {
  await using project = await TestProject.create({ "main.ts": `console.log("a");` });
  const first = await project.bundle("main.ts");
  const { mtime, ino } = await Deno.stat(await cacheFile(project));
  const second = await project.bundle("main.ts");
  const after = await Deno.stat(await cacheFile(project));
  assert.deepEqual(second, first);
  assert.deepEqual([after.mtime, after.ino], [mtime, ino]);
});

Deno.test("bundlePlugin() bundles again when an input, the configuration or what is nearer changes", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { x } from "./x.ts"; import { y } from "y"; console.log(x, y);`,
    "x.ts": `export const x = 1;`,
    "y1.ts": `export const y = "one";`,
    "y2.ts": `export const y = "two";`,
    "deno.jsonc": `{ "imports": { "y": "./y1.ts" } }`,
  });
  const run = async () => await project.run(await project.bundle("main.ts"));
  assert.equal(await run(), "1 one");
  await project.write("x.ts", "export const x = 2;");
  assert.equal(await run(), "2 one");
  await project.write("deno.jsonc", `{ "imports": { "y": "./y2.ts" } }`);
  assert.equal(await run(), "2 two");
  await project.write("deno.json", `{ "imports": { "y": "./y1.ts" } }`);
  assert.equal(await run(), "2 one");
});

Deno.test("bundlePlugin() notices a damaged cache file and bundles again", async () => {
  await using project = await TestProject.create({ "main.ts": `console.log("right");` });
  await project.bundle("main.ts");
  const file = await cacheFile(project);
  const intact = await Deno.readFile(file);
  const text = new TextDecoder().decode(intact);
  for (const damaged of [text.replace('"right"', '"wrong"'), text.slice(0, -9), text.slice(0, 20), ""]) {
    await Deno.writeTextFile(file, damaged);
    assert.equal(await project.run(await project.bundle("main.ts")), "right");
    assert.deepEqual(await Deno.readFile(file), intact);
  }
});

Deno.test("bundlePlugin() takes nothing from a cache that others can write", async () => {
  await using project = await TestProject.create({ "main.ts": `console.log("a");` });
  await project.bundle("main.ts");
  for (const directory of [project.cacheDirectory, join(project.cacheDirectory, "bundles")]) {
    await Deno.chmod(directory, 0o777);
    await assert.rejects(project.bundle("main.ts"), {
      name: "BundleError",
      message:
        `Cannot keep bundles in "${directory}" as only this user may write there: uid ${Deno.uid()}, mode 777`,
    });
    await Deno.chmod(directory, 0o700);
  }
  assert.equal(await project.run(await project.bundle("main.ts")), "a");
});

Deno.test("bundlePlugin() may be called many times at once for one plugin", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { ms: "npm:ms@2.1.3" } },
    "main.ts": `import ms from "ms"; console.log(ms("1m"));`,
  });
  const bundles = await Promise.all(Array.from({ length: 4 }, () => project.bundle("main.ts")));
  assert.equal(new Set(bundles.map(({ hash }) => hash)).size, 1);
  await cacheFile(project);
  assert.equal(await project.run(bundles[0] ?? assert.fail()), "60000");
});
