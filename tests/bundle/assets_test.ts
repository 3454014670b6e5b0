import assert from "node:assert/strict";
import { assetReferences, replaceReferences } from "../../src/bundle/asset_urls.ts";
import { TestProject } from "./project.ts";

/** (module (import "./env.js" "add" (func (param i32 i32) (result i32))) (func (export "sum") …calls add)). */
const WASM_WITH_IMPORT = new Uint8Array([
  0,
  97,
  115,
  109,
  1,
  0,
  0,
  0,
  1,
  7,
  1,
  96,
  2,
  127,
  127,
  1,
  127,
  2,
  16,
  1,
  8,
  46,
  47,
  101,
  110,
  118,
  46,
  106,
  115,
  3,
  97,
  100,
  100,
  0,
  0,
  3,
  2,
  1,
  0,
  7,
  7,
  1,
  3,
  115,
  117,
  109,
  0,
  1,
  10,
  10,
  1,
  8,
  0,
  32,
  0,
  32,
  1,
  16,
  0,
  11,
]); // deno-fmt-ignore

Deno.test("bundlePlugin() instantiates an imported WebAssembly module with its own imports", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { sum } from "./sum.wasm"; console.log(sum(40, 2));`,
    "sum.wasm": WASM_WITH_IMPORT,
    "env.js": `export const add = (a, b) => a + b;`,
  });
  const bundle = await project.bundle("main.ts");
  assert.deepEqual([...bundle.files.keys()], ["main.js"]);
  assert.equal(await project.run(bundle), "42");
});

Deno.test("bundlePlugin() names a WebAssembly file that is not valid", async () => {
  await using project = await TestProject.create({ "main.ts": `import "./a.wasm";`, "a.wasm": "nonsense" });
  await assert.rejects(project.bundle("main.ts"), {
    name: "BundleError",
    message: /as it is not valid WebAssembly/,
  });
});

Deno.test("bundlePlugin() places files that code names by import.meta.url beside the bundle", async () => {
  await using project = await TestProject.create({
    "main.ts":
      `import { read } from "./lib/read.ts"; console.log(read(), Deno.readTextFileSync(new URL(import.meta.resolve("./a.txt"))));`,
    "a.txt": "outer",
    "lib/read.ts": `export const read = () => Deno.readTextFileSync(new URL("./a.txt", import.meta.url));`,
    "lib/a.txt": "inner",
  });
  const bundle = await project.bundle("main.ts");
  assert.equal(bundle.files.size, 3);
  for (const name of bundle.files.keys()) assert.match(name, /^(main\.js|a-[0-9a-f]{10}\.txt)$/);
  assert.equal(await project.run(bundle), "inner outer");
});

Deno.test("bundlePlugin() bundles workers, and their workers, as files of their own", async () => {
  await using project = await TestProject.create({
    "main.ts": `
      const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
      worker.onmessage = ({ data }) => { console.log(data); worker.terminate(); };`,
    "worker.ts": `
      import { shout } from "./shout.ts";
      const inner = new Worker(new URL("./inner.ts", import.meta.url), { type: "module" });
      inner.onmessage = ({ data }) => self.postMessage(shout(data));`,
    "inner.ts": `self.postMessage("from inside" as string);`,
    "shout.ts": `export const shout = (text: string): string => text.toUpperCase();`,
  });
  const bundle = await project.bundle("main.ts");
  assert.equal(bundle.files.size, 3);
  assert.ok(bundle.inputs.includes(project.path("shout.ts")));
  assert.equal(await project.run(bundle), "FROM INSIDE");
});

Deno.test("assetReferences() finds literal relative references and nothing else", () => {
  const source = `
    new URL("./a.wasm", import.meta.url); new URL( '../b/c.txt' , import.meta.url, ); import.meta.resolve("./d.ts");
    new URL("https://x.test/", import.meta.url); new URL("./x", base); new URL(\`./\${n}.txt\`, import.meta.url);
    import.meta.resolve("bare");`;
  const found = assetReferences(source);
  assert.deepEqual(found.map(({ specifier }) => specifier), ["./a.wasm", "../b/c.txt", "./d.ts"]);
  for (const { specifier, start, end } of found) assert.equal(source.slice(start, end), specifier);
  const [first, , third] = found;
  assert.ok(first !== undefined && third !== undefined);
  const replaced = replaceReferences(source, [{ reference: first, by: "./1" }, {
    reference: third,
    by: "./longer-name",
  }]);
  assert.equal(replaced, source.replace("./a.wasm", "./1").replace("./d.ts", "./longer-name"));
});
