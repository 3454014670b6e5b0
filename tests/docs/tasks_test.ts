/** Tasks that take minutes are there, and type-check. */

import assert from "node:assert/strict";
import { REPOSITORY, runDeno } from "../examples/run.ts";

Deno.test("the tasks that the documentation names start programs that type-check", async () => {
  const { tasks } = JSON.parse(await Deno.readTextFile(new URL("deno.json", REPOSITORY)));
  const programs = ["bench", "build", "ok", "test"].map((name) => {
    const scripts = [...String(tasks[name]?.command).matchAll(/\S+\.ts/g)].map(([path]) => path);
    assert.ok(scripts.length > 0, `the task "${name}" starts nothing`);
    return scripts;
  });
  const { code, stderr } = await runDeno(["check", ...new Set(programs.flat())], REPOSITORY);
  assert.equal(code, 0, stderr);
});
