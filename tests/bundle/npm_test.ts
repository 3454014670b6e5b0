import assert from "node:assert/strict";
import { TestProject } from "./project.ts";

async function output(files: Record<string, string | Uint8Array | object>): Promise<string> {
  await using project = await TestProject.create(files);
  return await project.run(await project.bundle("main.ts"));
}

Deno.test("bundlePlugin() bundles an ESM and a CommonJS package from npm", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { marked: "npm:marked@15.0.12" } },
    "main.ts":
      `import { marked } from "marked"; import ms from "npm:ms@2.1.3"; console.log(marked.parse("*hi*"), ms("2s"));`,
  });
  const bundle = await project.bundle("main.ts");
  assert.deepEqual(bundle.packages, ["marked@15.0.12", "ms@2.1.3"]);
  assert.deepEqual(bundle.inputs, [project.path("deno.json"), project.path("main.ts")]);
  assert.equal(await project.run(bundle), "<p><em>hi</em></p>\n 2000");
});

Deno.test("bundlePlugin() gives two plugins conflicting versions of one package", async () => {
  await using project = await TestProject.create({
    "old/deno.json": { imports: { ms: "npm:ms@0.7.3" } },
    "old/main.ts": `import ms from "ms"; console.log(ms("1 week") ?? null);`,
    "new/deno.json": { imports: { ms: "npm:ms@2.1.3" } },
    "new/main.ts": `import ms from "ms"; console.log(ms("1 week") ?? null);`,
  });
  const [old, young] = await Promise.all([project.bundle("old/main.ts"), project.bundle("new/main.ts")]);
  assert.deepEqual([old.packages, young.packages], [["ms@0.7.3"], ["ms@2.1.3"]]);
  assert.deepEqual([await project.run(old), await project.run(young)], ["null", "604800000"]);
});

Deno.test("bundlePlugin() follows conditional exports, subpaths, package imports and peer dependencies", async () => {
  assert.equal(
    await output({
      "deno.json": {
        imports: { preact: "npm:preact@10.27.2" },
        compilerOptions: { jsx: "react-jsx", jsxImportSource: "preact" },
      },
      "main.ts": `import { page } from "./page.tsx"; console.log(page("you"));`,
      "page.tsx": `
        import render from "npm:preact-render-to-string@6.6.1";
        import { useMemo } from "preact/hooks";
        function Hello({ name }: { name: string }) { return <b>{useMemo(() => "hello " + name, [name])}</b>; }
        export const page = (name: string): string => render(<Hello name={name} />);`,
    }),
    "<b>hello you</b>",
  );
});

Deno.test("bundlePlugin() keeps apart two versions that one package depends on under two names", async () => {
  // @isaacs/cliui depends on string-width 5 (ESM) and, as string-width-cjs, on string-width 4.
  assert.equal(
    await output({
      "main.ts": `
        import cliui from "npm:@isaacs/cliui@8.0.2";
        const ui = cliui({ width: 20 });
        ui.div({ text: "left", width: 8 }, { text: "right", width: 8 });
        console.log(ui.toString());`,
    }),
    "left    right",
  );
});

Deno.test("bundlePlugin() lets CommonJS packages require built-in modules and JSON", async () => {
  assert.equal(
    await output({
      "main.ts": `
        import mime from "npm:mime-types@2.1.35";
        import graceful from "npm:inherits@2.0.4";
        console.log(mime.lookup("a.json"), typeof graceful);`,
    }),
    "application/json function",
  );
});

Deno.test("bundlePlugin() takes module.exports as the default of CommonJS, also where it claims to be ESM", async () => {
  assert.equal(
    await output({
      "package.json": { type: "module" },
      "node_modules/faux/package.json": { name: "faux", version: "1.0.0" },
      "node_modules/faux/index.js": `
        Object.defineProperty(exports, "__esModule", { value: true });
        exports.default = "inner"; exports.where = typeof __filename + typeof __dirname;`,
      "main.ts": `import faux from "faux"; import { where } from "faux"; console.log(faux.default, where);`,
    }),
    "inner stringstring",
  );
  // tslib's ESM entry destructures the default import of its CommonJS file.
  assert.equal(
    await output({ "main.ts": `import { __rest } from "npm:tslib@2.8.1"; console.log(typeof __rest);` }),
    "function",
  );
});

Deno.test("bundlePlugin() lets packages do without dependencies that are optional, and warns", async () => {
  await using project = await TestProject.create({
    "package.json": { type: "module" },
    "node_modules/asks/package.json": { name: "asks", version: "1.0.0" },
    "node_modules/asks/index.js": `
      exports.now = "works";
      exports.later = () => require("not-installed");
      exports.lazily = () => import("not-installed-either");`,
    "main.ts": `
      import { later, lazily, now } from "asks";
      try { later(); } catch (error) { console.log(now, error.message.slice(0, 30)); }
      await lazily().catch(() => console.log("rejected"));`,
  });
  const bundle = await project.bundle("main.ts");
  assert.deepEqual(bundle.warnings.map((warning) => warning.split(",")[0]).sort(), [
    'Cannot find "not-installed"',
    'Cannot find "not-installed-either"',
  ]);
  assert.equal(await project.run(bundle), 'works Cannot require "not-installed"\nrejected');
});

Deno.test("bundlePlugin() resolves packages of a local node_modules directory", async () => {
  assert.equal(
    await output({
      "package.json": { type: "module", dependencies: { local: "1.0.0" } },
      "node_modules/local/package.json": {
        name: "local",
        version: "1.0.0",
        exports: { "./sub": "./deep/sub.js" },
      },
      "node_modules/local/deep/sub.js": `module.exports = { value: require("./data.json").x };`,
      "node_modules/local/deep/data.json": { x: 3 },
      "main.ts": `import { value } from "local/sub"; console.log(value);`,
    }),
    "3",
  );
});

Deno.test("bundlePlugin() resolves what package.json lists without a node_modules directory", async () => {
  assert.equal(
    await output({
      "package.json": { type: "module", dependencies: { ms: "2.1.3" } },
      "main.ts": `import ms from "ms"; console.log(ms(60000));`,
    }),
    "1m",
  );
});

Deno.test("bundlePlugin() holds to a lock file and refuses one that is out of date", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { ms: "npm:ms@^2.0.0" } },
    "main.ts": `import ms from "ms"; console.log(ms(60000));`,
  });
  const lock = async (version: string) => {
    await project.write("deno.json", { imports: { ms: `npm:ms@${version}` } });
    const { success } = await new Deno.Command(Deno.execPath(), {
      args: ["cache", "--quiet", "--frozen=false", "main.ts"],
      cwd: project.directory,
    }).output();
    assert.ok(success);
    await project.write("deno.json", { imports: { ms: "npm:ms@^2.0.0" } });
  };
  await lock("2.0.0");
  const text = await Deno.readTextFile(project.path("deno.lock"));
  await project.write("deno.lock", text.replaceAll("npm:ms@2.0.0", "npm:ms@^2.0.0"));
  assert.deepEqual((await project.bundle("main.ts")).packages, ["ms@2.0.0"]);
  await project.write("deno.json", { imports: { ms: "npm:ms@2.1.3" } });
  await assert.rejects(project.bundle("main.ts"), {
    name: "BundleError",
    message: new RegExp(`as its lock file "${project.path("deno.lock")}" is out of date`),
  });
});

Deno.test("bundlePlugin() notices a tampered package by the integrity in the lock file", async () => {
  await using project = await TestProject.create({
    "deno.json": { imports: { ms: "npm:ms@2.1.2" } },
    "main.ts": `import ms from "ms"; console.log(ms(60000));`,
    "deno.lock": {
      version: "5",
      specifiers: { "npm:ms@2.1.2": "2.1.2" },
      npm: { "ms@2.1.2": { integrity: `sha512-${"A".repeat(86)}==` } },
      workspace: { dependencies: ["npm:ms@2.1.2"] },
    },
  });
  // Deno checks what it downloads: in a cache that somebody else filled, there may be nothing to download.
  const before = Deno.env.get("DENO_DIR");
  Deno.env.set("DENO_DIR", project.path("cache"));
  using _restore = {
    [Symbol.dispose]: () =>
      before === undefined ? Deno.env.delete("DENO_DIR") : Deno.env.set("DENO_DIR", before),
  };
  await assert.rejects(project.bundle("main.ts"), { name: "BundleError", message: /checksum did not match/ });
});

Deno.test("bundlePlugin() never runs a package's lifecycle scripts", async () => {
  await using project = await TestProject.create({
    "main.ts": `import "npm:@cordon-fixture/none@1";`,
  });
  // The resolver is asked for the graph only: `info` has no way to run a script, and no flag that allows one is given.
  const deno = project.path("record"), trace = project.path("arguments");
  await Deno.writeTextFile(deno, `#!/bin/sh\nprintf '%s\\n' "$@" > '${trace}'\nexit 1\n`, { mode: 0o755 });
  await assert.rejects(project.bundle("main.ts", { deno }), { name: "BundleError" });
  const args = (await Deno.readTextFile(trace)).trimEnd().split("\n");
  assert.equal(args[0], "info");
  assert.equal(args.some((arg) => arg.startsWith("--allow-scripts")), false);
});
