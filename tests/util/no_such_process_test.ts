import assert from "node:assert/strict";
import { isNoSuchProcess, unlessGone } from "../../src/util/no_such_process.ts";

Deno.test("isNoSuchProcess() recognises what the runtime throws about a process that has ended", async () => {
  // Ends with its input: it must not be gone before its file is open.
  const child = new Deno.Command("cat", { stdin: "piped", stdout: "null" }).spawn();
  using status = await Deno.open(`/proc/${child.pid}/status`);
  await child.stdin.close();
  await child.status;
  const error = await status.read(new Uint8Array(16)).then(() => null, (thrown: unknown) => thrown);
  assert.ok(isNoSuchProcess(error), String(error));
  assert.ok(isNoSuchProcess(Object.assign(new Error("gone"), { code: "ESRCH" })));
  assert.ok(!isNoSuchProcess(new Error("no such file (os error 2)")));
  assert.ok(!isNoSuchProcess("(os error 3)"));
});

Deno.test("unlessGone() gives null for a process that is gone, however that shows, and throws everything else", () => {
  const thrown = (error: Error) =>
    unlessGone(() => {
      throw error;
    });
  assert.equal(unlessGone(() => 5), 5);
  for (
    const error of [
      new Deno.errors.NotFound("readfile '/proc/7/stat'"),
      new Error("No such process (os error 3): readfile '/proc/7/stat'"),
      Object.assign(new Error("statfs"), { code: "ENOENT" }),
    ]
  ) assert.equal(thrown(error), null);
  assert.throws(() => thrown(new Deno.errors.PermissionDenied("x")), Deno.errors.PermissionDenied);
});
