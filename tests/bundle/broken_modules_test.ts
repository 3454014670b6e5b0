/** Modules of unbundled plugins that are broken or missing, and repaired later. */

import assert from "node:assert/strict";
import { BundleError } from "../../src/errors.ts";
import { unbundledPlugin } from "../../src/bundle/unbundled_plugin.ts";
import { TestProject } from "./project.ts";

const text = (bytes: Uint8Array | undefined) => new TextDecoder().decode(bytes);

Deno.test("unbundledPlugin() names the place where an entry is no module, and takes it once it is repaired", async () => {
  await using project = await TestProject.create({
    "deno.json": {},
    "main.ts": "export {};\nexport const v = ;\n",
  });
  const request = project.request("main.ts");
  for (let round = 0; round < 2; round++) {
    await assert.rejects(unbundledPlugin(request), (error) => {
      assert.ok(error instanceof BundleError);
      assert.deepEqual(error.location, { file: project.path("main.ts"), line: 2, column: 18 });
      assert.match(
        error.message,
        /as it must be a module: SyntaxError: Expression expected \(.*main\.ts:2:18\)$/,
      );
      return true;
    });
  }
  await project.write("main.ts", "export const v = 1;");
  assert.equal(text((await unbundledPlugin(request)).files.get("main.ts")), "export const v = 1;");
});

Deno.test("unbundledPlugin() leaves a broken module that may never be imported to the runtime, and sees its repair", async () => {
  await using project = await TestProject.create({
    "deno.json": {},
    "main.ts": `export const load = () => import("./later.ts");`,
    "later.ts": "export const v = ;",
  });
  const request = project.request("main.ts");
  const broken = await unbundledPlugin(request);
  assert.equal(text(broken.files.get("later.ts")), "export const v = ;");
  assert.match(broken.warnings.join(), /later\.ts.*Expression expected/);
  await project.write("later.ts", "export const v = 1;");
  const repaired = await unbundledPlugin(request);
  assert.equal(text(repaired.files.get("later.ts")), "export const v = 1;");
  assert.deepEqual(repaired.warnings, []);
});

Deno.test("unbundledPlugin() sees a module that was missing and has come", async () => {
  await using project = await TestProject.create({
    "deno.json": {},
    "main.ts": `export const load = () => import("./optional.ts");`,
  });
  const request = project.request("main.ts");
  assert.deepEqual([...(await unbundledPlugin(request)).files.keys()], ["main.ts"]);
  await project.write("optional.ts", "export const v = 1;");
  assert.deepEqual([...(await unbundledPlugin(request)).files.keys()].sort(), ["main.ts", "optional.ts"]);
});
