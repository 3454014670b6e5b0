import assert from "node:assert/strict";
import { isNoSuchProcess } from "../../src/util/no_such_process.ts";

Deno.test("isNoSuchProcess() recognises what the runtime throws about a process that has ended", async () => {
  const child = new Deno.Command(Deno.execPath(), { args: ["--version"], stdout: "null" }).spawn();
  const status = await Deno.open(`/proc/${child.pid}/status`);
  await child.status;
  const error = await status.read(new Uint8Array(16)).then(() => null, (thrown: unknown) => thrown);
  status.close();
  assert.ok(isNoSuchProcess(error), String(error));
  assert.ok(isNoSuchProcess(Object.assign(new Error("gone"), { code: "ESRCH" })));
  assert.ok(!isNoSuchProcess(new Error("no such file (os error 2)")));
  assert.ok(!isNoSuchProcess("(os error 3)"));
});
