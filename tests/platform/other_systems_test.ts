import assert from "node:assert/strict";

/** What a host does that takes this machine for another system: the nearest to one that can be had here. */
async function outcome(os: string, sandbox: string): Promise<unknown> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tests/fixtures/platform/other_system.ts", os, sandbox],
    cwd: new URL("../../", import.meta.url),
    stdin: "null",
  }).output();
  const text = new TextDecoder();
  assert.notEqual(text.decode(stdout), "", text.decode(stderr));
  return JSON.parse(text.decode(stdout));
}

Deno.test("a host on another system than Linux runs plugins by Deno's permissions, if that was written out", async () => {
  assert.deepEqual(await outcome("darwin", "permissions-only"), { tier: "permissions-only", sum: 5 });
});

Deno.test("a host on another system than Linux starts nothing in any other mode", async () => {
  for (const sandbox of ["required", "best-effort"]) {
    assert.deepEqual(await outcome("darwin", sandbox), {
      error: `Cannot start a plugin as sandbox: "${sandbox}" demands: there are no namespaces on darwin`,
    });
  }
});
