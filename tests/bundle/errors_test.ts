import assert from "node:assert/strict";
import { BundleError } from "../../src/errors.ts";
import type { BundleRequest } from "../../src/bundle/types.ts";
import { TestProject } from "./project.ts";

async function failure(
  project: TestProject,
  entry: string,
  options: Partial<BundleRequest> = {},
): Promise<BundleError> {
  const error = await project.bundle(entry, options).then(() => undefined, (reason) => reason);
  assert.ok(error instanceof BundleError, `a BundleError expected, got ${error}`);
  return error;
}

Deno.test("bundlePlugin() names the file, line and column of a syntax error", async () => {
  await using project = await TestProject.create({
    "main.ts": `import "./broken.ts";`,
    "broken.ts": `export const a = 1;\n  const = 5;\n`,
  });
  const error = await failure(project, "main.ts");
  assert.deepEqual(error.location, { file: project.path("broken.ts"), line: 2, column: 9 });
  assert.match(
    error.message,
    /^Cannot bundle ".*main\.ts" as expected identifier but found "=" \(.*broken\.ts:2:9\)$/,
  );
});

Deno.test("bundlePlugin() names the specifier and the importer of a missing file, and what was meant", async () => {
  await using project = await TestProject.create({
    "main.ts": `\nimport { a } from "./lib";\nconsole.log(a);`,
    "lib.ts": `export const a = 1;`,
  });
  const error = await failure(project, "main.ts");
  assert.deepEqual(error.location, { file: project.path("main.ts"), line: 2, column: 19 });
  assert.equal(
    error.message,
    `Cannot resolve "./lib" imported by "${project.path("main.ts")}" as there is no file "${
      project.path("lib")
    }" (${project.path("main.ts")}:2:19)`,
  );
  assert.equal(error.hint, `Did you mean "${project.path("lib.ts")}"?`);
});

Deno.test("bundlePlugin() says how to map a bare name that nothing maps", async () => {
  await using project = await TestProject.create({ "deno.json": {}, "main.ts": `import "left-pad/x";` });
  const error = await failure(project, "main.ts");
  assert.match(error.message, /^Cannot resolve "left-pad\/x" imported by ".*main\.ts" as no import map/);
  assert.equal(
    error.hint,
    `Add "left-pad": "npm:left-pad" (or jsr:) to "imports" in ${project.path("deno.json")}`,
  );
});

Deno.test("bundlePlugin() names an entry that does not exist", async () => {
  await using project = await TestProject.create({});
  const error = await failure(project, "nope.ts");
  assert.equal(error.message, `Cannot load the plugin "${project.path("nope.ts")}" as there is no such file`);
});

Deno.test("bundlePlugin() tells a directory from an entry that does not exist", async () => {
  await using project = await TestProject.create({ "plugin/main.ts": "export {};" });
  const error = await failure(project, "plugin");
  assert.equal(error.message, `Cannot load the plugin "${project.path("plugin")}" as it is a directory`);
  assert.match(error.hint ?? "", /^Name the module/);
});

Deno.test("bundlePlugin() sends whoever has a broken lock file to that file", async () => {
  await using project = await TestProject.create({
    "deno.json": {},
    "deno.lock": "{ broken",
    "main.ts": `import "npm:ms@2";`,
  });
  const error = await failure(project, "main.ts");
  assert.match(error.message, /lockfile/i);
  assert.match(error.hint ?? "", /^Restore ".*\/deno\.lock"/);
});

Deno.test("bundlePlugin() names an export that a module does not have", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { b } from "./a.ts"; console.log(b);`,
    "a.ts": `export const a = 1;`,
  });
  const error = await failure(project, "main.ts");
  assert.match(error.message, /no matching export in ".*\/a\.ts" for import "b"/);
  assert.equal(error.location?.file, project.path("main.ts"));
});

Deno.test("bundlePlugin() names an npm version that does not exist", async () => {
  await using project = await TestProject.create({ "main.ts": `import "npm:ms@99.0.0";` });
  const error = await failure(project, "main.ts");
  assert.match(error.message, /ms@99\.0\.0/);
});

Deno.test("bundlePlugin() names a configuration that is not valid", async () => {
  await using project = await TestProject.create({ "deno.json": "{ nonsense", "main.ts": "export {};" });
  const error = await failure(project, "main.ts");
  assert.match(error.message, /^Cannot read the configuration ".*\/deno\.json" as it is not valid: /);
});

Deno.test("bundlePlugin() refuses the host's side of Cordon, the runtime's FFI add-ons and unknown schemes", async () => {
  await using project = await TestProject.create({
    "host.ts": `import { createHost } from "@cordon/cordon"; createHost();`,
    "addon.ts": `import "./thing.node";`,
    "scheme.ts": `import "bun:sqlite";`,
    "style.ts": `import "./a.weird";`,
    "a.weird": "x",
  });
  assert.match((await failure(project, "host.ts")).message, /as it is the host's side of Cordon/);
  assert.match((await failure(project, "addon.ts")).message, /as native add-ons cannot run in a sandbox/);
  assert.match((await failure(project, "scheme.ts")).message, /as there is no way to load "bun:" modules/);
  assert.match((await failure(project, "style.ts")).message, /as its extension is not that of a module/);
});

Deno.test("bundlePlugin() refuses the host's side of Cordon also where an import map names its file", async () => {
  const host = new URL("../../mod.ts", import.meta.url).href;
  await using project = await TestProject.create({
    "deno.json": JSON.stringify({ imports: { "@cordon/cordon": host } }),
    "main.ts": `import { createHost } from "@cordon/cordon"; createHost();`,
  });
  assert.match((await failure(project, "main.ts")).message, /as it is the host's side of Cordon/);
});

Deno.test("bundlePlugin() warns of requires that cannot be bundled, which fail with a reason when reached", async () => {
  await using project = await TestProject.create({
    "main.ts": `import f from "./old.cjs"; for (const x of f()) console.log(x);`,
    "old.cjs": `
      module.exports = () => [() => require("./addon.node"), () => require(["o", "s"].join(""))].map((load) => {
        try { return load() } catch (error) { return error.message.slice(0, 40) }
      });`,
  });
  const bundle = await project.bundle("main.ts");
  assert.equal(bundle.warnings.length, 2);
  assert.match(bundle.warnings.join("\n"), /Cannot load ".\/addon.node" as native add-ons/);
  assert.match(bundle.warnings.join("\n"), /require.*old\.cjs:2:/);
  assert.equal(
    await project.run(bundle),
    'Cannot load "./addon.node" as native add\nCannot require "os" as plugins are bundl',
  );
});

Deno.test("bundlePlugin() warns where a package looks for its native add-on at run time", async () => {
  await using project = await TestProject.create({ "main.ts": `import "npm:better-sqlite3@11.10.0";` });
  const { warnings } = await project.bundle("main.ts");
  assert.ok(
    warnings.some((warning) => /require.*\/bindings\/.*:\d+:\d+\)$/.test(warning)),
    warnings.join("\n"),
  );
});

Deno.test("a program that imports a checkout by its path is told to name it in a deno.json", async () => {
  const bundler = new URL("../../src/bundle/bundle_plugin.ts", import.meta.url).href;
  await using project = await TestProject.create({
    "plugin.ts": `export const one = 1;`,
    "host.ts": `
      import { bundlePlugin } from ${JSON.stringify(bundler)};
      await bundlePlugin(JSON.parse(Deno.args[0])).then(() => console.log("bundled"), ({ hint }) => console.log(hint));
    `,
  });
  assert.match(await outputOf(project), /^Write a deno\.json beside the program whose "imports"/);
  const imports = { "@cordon/cordon": new URL("../../mod.ts", import.meta.url).href };
  await project.write("deno.json", { imports });
  assert.equal(await outputOf(project), "bundled");
});

async function outputOf(project: TestProject): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", project.path("host.ts"), JSON.stringify(project.request("plugin.ts"))],
    cwd: project.directory,
  }).output();
  return new TextDecoder().decode(stdout).trim();
}
