import assert from "node:assert/strict";
import { REPOSITORY, runDeno } from "./run.ts";

Deno.test("examples/demo.ts tells its story to the end", async () => {
  const { code, stdout, stderr } = await runDeno(["run", "-A", "examples/demo.ts"], REPOSITORY);
  assert.equal(code, 0, stderr);
  for (
    const chapter of ["1  This machine", "2  Two plugins", "3  A third plugin", "4  A hostile", "5  How fast"]
  ) {
    assert.ok(stdout.includes(`\n${chapter}`), `chapter "${chapter}" expected in:\n${stdout}`);
  }
  assert.match(
    stdout,
    /README\.md +[\d.]+ KiB +[\d.]+ ms +[\d.]+ ms +differs: \d+ headings with an id, then 0/,
  );
  assert.match(stdout, /\d+ attempts, 0 went through\.\s+Checked on the host: nothing was touched\./);
  assert.match(
    stdout,
    /<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"\/><title>Cordon<\/title>/i,
  );
});

Deno.test("examples/demo.ts says what is missing and how to get it where there is no sandbox", async () => {
  const demo = new URL("examples/demo.ts", REPOSITORY);
  const script = `import { story } from ${JSON.stringify(demo.href)};
    Deno.exit(await story({ bwrap: "/nonexistent/bwrap" }));`;
  const { code, stdout, stderr } = await runDeno(["eval", script], REPOSITORY);
  assert.equal(code, 69, stdout + stderr);
  assert.equal(stderr, "");
  assert.match(
    stdout,
    /\nThe story ends here\n[^]*✗ bubblewrap is not installed\n +sudo apt-get install -y bubblewrap/,
  );
  assert.doesNotMatch(stdout, / at .*\.ts:\d+/);
});
