import assert from "node:assert/strict";
import { mapStack } from "../../src/util/source_map.ts";
import { TestProject } from "./project.ts";

Deno.test("Bundle.sourceMap leads from a stack in the bundle to the original lines, also of packages", async () => {
  await using project = await TestProject.create({
    "main.ts": `import { fail } from "./lib/fail.ts";\n\nfail({ a: 1 });\n`,
    "lib/fail.ts":
      `interface A { a: number }\n/** Long gone in the bundle. */\nexport function fail(a: A): never {\n  throw new RangeError("no " + a.a);\n}\n`,
  });
  const bundle = await project.bundle("main.ts");
  const error = await project.run(bundle).then(() => assert.fail(), (reason: Error) => reason);
  const file = /file:\/\/(\S+main\.js)/.exec(error.message)?.[1] ?? assert.fail();
  const mapped = mapStack(error.message, bundle.sourceMap, file);
  assert.ok(mapped.includes(`${project.path("lib/fail.ts")}:4:9`), mapped);
  assert.ok(mapped.includes(`${project.path("main.ts")}:3:1`), mapped);
});
