import assert from "node:assert/strict";
import { ownRuntime, processRuntime } from "../../src/platform/own_runtime.ts";
import { folderWith } from "../testing/fixtures.ts";

Deno.test("ownRuntime() is the executable of this process unless deno compile made it", async () => {
  const runtime = processRuntime();
  assert.equal(runtime.isStandalone, false);
  assert.equal(await ownRuntime(runtime), Deno.execPath());
});

Deno.test("ownRuntime() of a compiled program is the first executable deno in PATH, by absolute entries only", async () => {
  await using folder = await folderWith({ "a/deno": "", "b/deno": "", "c/deno": "" });
  await Deno.chmod(`${folder.path}/b/deno`, 0o755);
  await Deno.chmod(`${folder.path}/c/deno`, 0o755);
  const compiled = { isStandalone: true, execPath: "/opt/app" };
  const searchPath = [
    "",
    ".",
    "relative",
    "/nonexistent",
    ...["a", "b", "c"].map((name) => `${folder.path}/${name}/`),
  ]
    .join(":");
  assert.equal(await ownRuntime({ ...compiled, searchPath }), `${folder.path}/b/deno`);
  assert.equal(await ownRuntime({ ...compiled, searchPath: ".:/nonexistent" }), null);
});
