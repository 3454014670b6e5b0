import assert from "node:assert/strict";
import { cordon, cordonCommand, fixture, sandboxSkip } from "./cordon.ts";

const skip = await sandboxSkip();

function sandboxTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name: `cordon run ${name}${skip}`, ignore: skip !== "", fn });
}

sandboxTest("passes arguments, output and the exit code through", async () => {
  const { code, out, err } = await cordon(["run", fixture("echo.ts"), "--", "42", "--help", "-x"]);
  assert.deepEqual([code, out, err], [42, '["42","--help","-x"]\n', "to standard error\n"]);
});

sandboxTest("gives the script its standard input", async () => {
  const child = cordonCommand(["run", fixture("stdin.ts")], { stdin: "piped" }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("through the sandbox"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  assert.equal(new TextDecoder().decode(stdout), "THROUGH THE SANDBOX\n", new TextDecoder().decode(stderr));
  assert.equal(code, 0);
});

sandboxTest("exits 1 when the script throws, and shows where in its source", async () => {
  const { code, out, err } = await cordon(["run", fixture("throws.ts")]);
  assert.deepEqual([code, out], [1, ""], err);
  assert.match(err, /broken on purpose/);
  assert.match(err, /throws\.ts:5:\d+/);
});

sandboxTest("exits 77 when the script may not do something, and 0 when it may", async () => {
  const directory = await Deno.makeTempDir({ dir: "/tmp" });
  try {
    await Deno.chmod(directory, 0o755);
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "granted");
    const denied = await cordon(["run", fixture("reads.ts"), "--", file]);
    assert.equal(denied.code, 77, denied.err);
    assert.match(denied.err, /Requires read access/);
    const relative = await cordon(["run", fixture("reads.ts"), "--", "notes.txt"]);
    assert.equal(relative.code, 1);
    assert.match(
      relative.err,
      /NotFound: [\s\S]*\nhint: Nothing of .* To grant it: --allow-read=notes\.txt\n$/,
    );
    const granted = await cordon(["run", `--allow-read=${directory}`, fixture("reads.ts"), "--", file]);
    assert.deepEqual([granted.code, granted.out], [0, "granted\n"], granted.err);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

sandboxTest("exits 124 after --timeout", async () => {
  const { code, err } = await cordon(["run", "--timeout=500ms", fixture("waits.ts")]);
  assert.equal(code, 124, err);
});

sandboxTest("ends the script at SIGTERM and exits 143", async () => {
  const { code } = await signalled(fixture("waits.ts"), "SIGTERM");
  assert.equal(code, 143);
});

sandboxTest("ends the script at SIGINT and exits 130", async () => {
  const { code } = await signalled(fixture("waits.ts"), "SIGINT");
  assert.equal(code, 130);
});

for (const [signal, expected] of [["SIGTERM", 143], ["SIGINT", 130], ["SIGHUP", 129]] as const) {
  sandboxTest(`exits ${expected} at ${signal} where only the script's runtime listens to it`, async () => {
    const { code } = await signalled(fixture("listened.ts"), signal);
    assert.equal(code, expected);
  });
}

sandboxTest("lets a script that listens to SIGTERM end in its own way", async () => {
  const { code, out } = await signalled(fixture("traps.ts"), "SIGTERM");
  assert.deepEqual([code, out], [7, "waiting\ncaught\n"]);
});

Deno.test("cordon run exits 69 and says how to install bubblewrap where it is missing", async () => {
  const { code, out, err } = await cordon(["run", "--bwrap=/nonexistent/bwrap", fixture("echo.ts")]);
  assert.deepEqual([code, out], [69, ""], err);
  assert.match(err, /bubblewrap is not installed/);
  assert.match(err, /apt/);
});

sandboxTest("exits 64 for a grant that makes no sense and 77 for one that would open the host", async () => {
  const missing = await cordon(["run", "--allow-read=/nonexistent/path", fixture("echo.ts")]);
  assert.deepEqual([missing.code, missing.out], [64, ""], missing.err);
  assert.match(missing.err, /error in --allow-read: /);
  const open = await cordon(["run", "--allow-read=/", fixture("echo.ts")]);
  assert.deepEqual([open.code, open.out], [77, ""], open.err);
});

sandboxTest("--no-bundle leaves modules as they are", async () => {
  const script = "tests/fixtures/unbundled/where.ts";
  const kept = await cordon(["run", "--no-bundle", script, "--", "a"]);
  assert.deepEqual([kept.code, kept.out, kept.err], [0, "file:///app/plugin/where.ts a\n", ""]);
  const bundled = await cordon(["run", script, "--", "a"]);
  assert.deepEqual([bundled.code, bundled.out, bundled.err], [0, "file:///app/plugin/main.js a\n", ""]);
});

/** Start a script, wait until it says that it waits, send a signal. */
async function signalled(script: string, name: Deno.Signal): Promise<{ code: number; out: string }> {
  const child = cordonCommand(["run", script], { stdin: "null", stderr: "inherit" }).spawn();
  let out = "";
  let isSent = false;
  for await (const text of child.stdout.pipeThrough(new TextDecoderStream())) {
    out += text;
    if (isSent || !out.includes("waiting\n")) continue;
    isSent = true;
    child.kill(name);
  }
  return { code: (await child.status).code, out };
}
