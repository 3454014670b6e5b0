import assert from "node:assert/strict";
import { BundleError } from "../../src/errors.ts";
import { TestProject } from "./project.ts";

/** A file that stands for Deno and leaves a trace when it is started. */
async function tripwire(project: TestProject): Promise<{ deno: string; wasStarted: () => Promise<boolean> }> {
  const deno = project.path("tripwire"), trace = project.path("trace");
  await Deno.writeTextFile(deno, `#!/bin/sh\n: > '${trace}'\nexit 9\n`, { mode: 0o755 });
  return { deno, wasStarted: () => Deno.stat(trace).then(() => true, () => false) };
}

Deno.test("bundlePlugin() bundles TypeScript with local imports into one file that runs", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { twice } from "./lib/twice.ts"; const n: number = twice(21); console.log(n);`,
    "lib/twice.ts": `export function twice(n: number): number { return n * 2; }`,
  });
  const bundle = await project.bundle("main.ts");
  assert.equal(bundle.entry, "main.js");
  assert.deepEqual([...bundle.files.keys()], ["main.js"]);
  assert.deepEqual(bundle.inputs, [project.path("lib/twice.ts"), project.path("main.ts")]);
  assert.deepEqual(bundle.packages, []);
  assert.equal(await project.run(bundle), "42");
});

Deno.test("bundlePlugin() starts Deno for a remote import and for nothing else", async () => {
  await using project = await TestProject.create({
    "local.ts":
      `import type { A } from "npm:never@1"; import "./b.ts"; import "node:fs"; export let a: A | undefined;`,
    "b.ts": `export {};`,
    "remote.ts": `import "npm:ms@2.1.3";`,
  });
  const { deno, wasStarted } = await tripwire(project);
  await project.bundle("local.ts", { deno });
  assert.equal(await wasStarted(), false);
  await assert.rejects(project.bundle("remote.ts", { deno }), BundleError);
  assert.equal(await wasStarted(), true);
});

Deno.test("bundlePlugin() keeps the names of functions and classes", async () => {
  await using project = await TestProject.create({
    "main.ts":
      `import { f as g } from "./other.ts"; function f() {} class C {} console.log(f.name, g.name, C.name);`,
    "other.ts": `export function f() {}`,
  });
  assert.equal(await project.run(await project.bundle("main.ts")), "f f C");
});

Deno.test("bundlePlugin() compiles standard decorators, which the runtime does not know", async () => {
  await using project = await TestProject.create({
    "main.ts": `
      function loud(f: (n: string) => string, _: unknown) { return (n: string) => f(n).toUpperCase(); }
      class A { @loud hi(n: string) { return "hi " + n; } }
      console.log(new A().hi("you"));`,
  });
  assert.equal(await project.run(await project.bundle("main.ts")), "HI YOU");
});

Deno.test("bundlePlugin() sets import.meta.main in the entry of a script only", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { main } from "./other.ts"; console.log(import.meta.main, main);`,
    "other.ts": `export const main = import.meta.main;`,
  });
  assert.equal(await project.run(await project.bundle("main.ts")), "false false");
  assert.equal(await project.run(await project.bundle("main.ts", { isMain: true })), "true false");
});

Deno.test("bundlePlugin() imports text, bytes and JSON by their attribute", async () => {
  await using project = await TestProject.create({
    "main.ts": `
      import text from "./a.txt" with { type: "text" };
      import bytes from "./a.bin" with { type: "bytes" };
      import json from "./a.json" with { type: "json" };
      console.log(text, bytes instanceof Uint8Array, bytes[1], json.x);`,
    "a.txt": "hello",
    "a.bin": new Uint8Array([7, 255]),
    "a.json": { x: 5 },
  });
  assert.equal(await project.run(await project.bundle("main.ts")), "hello true 255 5");
});

Deno.test("bundlePlugin() gives the plugin the module of its own package for @cordon/cordon/plugin", async () => {
  const specifiers = ["@cordon/cordon/plugin", "jsr:@cordon/cordon@1/plugin", "api", "mapped"];
  await using project = await TestProject.create({
    "deno.json": {
      imports: {
        "api": "jsr:@cordon/cordon@^0.1/plugin",
        "mapped": new URL("../../src/guest/mod.ts", import.meta.url).href,
      },
    },
    "main.ts": specifiers.map((name, index) =>
      `import { progress as p${index} } from "${name}";`
    ).join("\n") +
      `\ntry { p0(1) } catch (error) { console.log(error.name, p0 === p1, p1 === p2, p2 === p3) }`,
  });
  const { deno, wasStarted } = await tripwire(project);
  assert.equal(await project.run(await project.bundle("main.ts", { deno })), "TypeError true true true");
  assert.equal(await wasStarted(), false);
});

Deno.test("bundlePlugin() does not tell the plugin where it lies on the host", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { ms: "npm:ms@2.1.3" } },
    "main.ts": `import ms from "ms"; import { a } from "./lib/a.ts"; console.log(ms(1000), a);`,
    "lib/a.ts": `export const a = 1;`,
  });
  const { files } = await project.bundle("main.ts");
  const code = new TextDecoder().decode(files.get("main.js"));
  assert.match(code, /^\/\/ lib\/a\.ts$/m);
  assert.match(code, /npm:ms@2\.1\.3\/index\.js/);
  assert.equal(code.includes(project.directory.slice(1)), false);
  assert.equal(code.includes("registry"), false);
});

Deno.test("bundlePlugin() leaves no child process behind", async () => {
  await using project = await TestProject.create({
    "a.ts": "export const a = 1;",
    "b.ts": "export const b = 2;",
  });
  await Promise.all([project.bundle("a.ts"), project.bundle("b.ts")]);
  const children = await Deno.readTextFile(`/proc/self/task/${Deno.pid}/children`);
  for (const pid of children.trim().split(" ").filter(Boolean)) {
    const command = await Deno.readTextFile(`/proc/${pid}/cmdline`).catch(() => "");
    assert.doesNotMatch(command, /esbuild/);
  }
});

Deno.test("bundlePlugin() rejects with the reason of its signal", async () => {
  await using project = await TestProject.create({ "main.ts": `import "npm:ms@2.1.3";` });
  const reason = new Error("enough");
  await assert.rejects(project.bundle("main.ts", { signal: AbortSignal.abort(reason) }), reason);
  const controller = new AbortController();
  const deno = project.path("slow");
  await Deno.writeTextFile(deno, "#!/bin/sh\nexec sleep 600\n", { mode: 0o755 });
  const pending = project.bundle("main.ts", { deno, signal: controller.signal });
  controller.abort(reason);
  await assert.rejects(pending, reason);
});
