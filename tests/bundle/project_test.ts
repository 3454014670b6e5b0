import assert from "node:assert/strict";
import { isMemberOf } from "../../src/bundle/workspace.ts";
import { readProject } from "../../src/bundle/project.ts";
import { TestProject } from "./project.ts";

Deno.test("bundlePlugin() resolves import maps: prefixes, scopes, separate files, blocked names", async () => {
  await using project = await TestProject.create({
    "deno.jsonc": `{
      // comments and trailing commas are allowed
      "importMap": "./maps/map.json",
    }`,
    "maps/map.json": {
      imports: { "~/": "../src/", "name": "../src/one.ts" },
      scopes: { "../src/inner/": { "name": "../src/two.ts" } },
    },
    "src/one.ts": `export default 1;`,
    "src/two.ts": `export default 2;`,
    "src/inner/main.ts": `import name from "name"; export default name;`,
    "main.ts":
      `import a from "name"; import b from "~/two.ts"; import c from "~/inner/main.ts"; console.log(a, b, c);`,
  });
  const bundle = await project.bundle("main.ts");
  assert.ok(bundle.inputs.includes(project.path("maps/map.json")));
  assert.equal(await project.run(bundle), "1 2 2");
});

Deno.test("bundlePlugin() knows the members of a workspace by name and by their own import maps", async () => {
  await using project = await TestProject.create({
    "deno.json": {
      workspace: ["./packages/*", "plugin"],
      imports: { common: "./common.ts", ms: "npm:ms@2.1.3" },
    },
    "common.ts": `export const common = "root";`,
    "packages/tools/deno.json": {
      name: "@x/tools",
      version: "1.0.0",
      exports: { ".": "./mod.ts", "./extra": "./extra.ts" },
      imports: { common: "./own.ts" },
    },
    "packages/tools/own.ts": `export const common = "tools";`,
    "packages/tools/mod.ts": `export { common as fromTools } from "common";`,
    "packages/tools/extra.ts": `import ms from "ms"; export const extra = ms(1000);`,
    "plugin/deno.json": {},
    "plugin/main.ts": `
      import { fromTools } from "@x/tools";
      import { extra } from "@x/tools/extra";
      import { common } from "common";
      console.log(fromTools, extra, common);`,
  });
  assert.equal(await project.run(await project.bundle("plugin/main.ts")), "tools 1s root");
});

Deno.test("readProject() takes the nearest configuration's directory as the root", async () => {
  await using project = await TestProject.create({
    "deno.json": { compilerOptions: { jsx: "react-jsx" } },
    "own/deno.json": {},
    "own/main.ts": "",
    "under/main.ts": "",
    "node/package.json": { dependencies: { a: "1" } },
  });
  assert.equal((await readProject(project.path("own/main.ts"))).root, project.path("own"));
  const under = await readProject(project.path("under/main.ts"));
  assert.equal(under.root, project.directory);
  assert.deepEqual(under.compilerOptions, { jsx: "react-jsx" });
  assert.ok(under.absent.includes(project.path("under/deno.json")));
});

Deno.test("readProject() takes the entry's own directory as the root where nothing is configured", async () => {
  await using project = await TestProject.create({ "plugin/main.ts": "" });
  assert.equal((await readProject(project.path("plugin/main.ts"))).root, project.path("plugin"));
});

Deno.test("isMemberOf() matches names and single stars and never leads out of the root", () => {
  assert.equal(isMemberOf("/w/a/b", "/w", ["./a/*"]), true);
  assert.equal(isMemberOf("/w/a", "/w", { members: ["a/"] }), true);
  assert.equal(isMemberOf("/w/a/b/c", "/w", ["./a/*"]), false);
  assert.equal(isMemberOf("/other", "/w", ["../other"]), false);
  assert.equal(isMemberOf("/w/a", "/w", undefined), false);
});
