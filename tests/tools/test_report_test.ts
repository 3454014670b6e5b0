import assert from "node:assert/strict";
import { combinedReport, summaryLine, testReport } from "../../tools/test_report.ts";

const JUNIT = `<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="deno test" tests="4" failures="1" errors="0" time="0.010">
  <testsuite name="./a_test.ts" tests="4" disabled="1" errors="0" failures="1">
    <testcase name="a passes" classname="./a_test.ts" time="0.000" line="1" col="6">
    </testcase>
    <testcase name="b passes, self-closing" classname="./a_test.ts" time="0.000"/>
    <testcase name="c &lt;fails&gt; &quot;q&quot; &amp;lt; &#10;" classname="./a_test.ts" time="0.000">
      <failure message="x &lt;/testcase&gt; &lt;skipped/&gt;">Error: &lt;testcase name="nobody"&gt;</failure>
    </testcase>
    <testcase name="d needs a compiler [skipped: no gcc]" classname="./a_test.ts" time="0.000">
      <skipped/>
    </testcase>
  </testsuite>
</testsuites>`;

Deno.test("testReport() counts passed, failed and skipped tests", () => {
  assert.deepEqual(testReport(JUNIT, "", 1, "run"), {
    passed: 2,
    failed: ['c <fails> "q" &lt; \n'],
    skipped: [{ name: "d needs a compiler", reason: "no gcc" }],
  });
});

Deno.test("testReport() counts errors outside of tests, which no report contains", () => {
  const output = "\x1b[0mUncaught error from ./c_test.ts \x1b[31mFAILED\x1b[0m\n";
  assert.deepEqual(testReport("", output, 1, "run").failed, ["./c_test.ts (uncaught error)"]);
});

Deno.test("testReport() ignores such a line in the output of a run that succeeded", () => {
  assert.deepEqual(
    testReport(JUNIT.replace(/<failure.*<\/failure>/s, ""), "Uncaught error from x FAILED\n", 0, "run")
      .failed,
    [],
  );
});

Deno.test("testReport() never calls a failed run a success", () => {
  assert.deepEqual(testReport("", "", 137, "run").failed, ["run ended with 137 before it had finished"]);
});

Deno.test("summaryLine() names skipped tests only when there are any", () => {
  const none = { passed: 3, failed: [], skipped: [] };
  assert.equal(summaryLine(none), "3 passed, 0 failed");
  assert.equal(
    summaryLine(combinedReport([none, testReport(JUNIT, "", 1, "run")])),
    "5 passed, 1 failed, 1 skipped",
  );
});

Deno.test("tools/test.ts ends with the counting line alone and the right exit code", async () => {
  const directory = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(
      `${directory}/good_test.ts`,
      `Deno.test("a", () => {}); console.log("9 passed, 9 failed");`,
    );
    await Deno.writeTextFile(`${directory}/bad_test.ts`, `Deno.test("b", () => { throw new Error("no"); });`);
    const good = await runTool(`${directory}/good_test.ts`);
    assert.deepEqual([good.code, good.lastLine], [0, "1 passed, 0 failed"]);
    const both = await runTool(directory);
    assert.deepEqual([both.code, both.lastLine], [1, "1 passed, 1 failed"]);
    const missing = await runTool(`${directory}/absent_test.ts`);
    assert.deepEqual([missing.code, missing.lastLine], [1, "0 passed, 1 failed"]);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

async function runTool(
  path: string,
): Promise<{ readonly code: number; readonly lastLine: string | undefined }> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "tools/test.ts", path],
    stderr: "null",
  }).output();
  return { code, lastLine: new TextDecoder().decode(stdout).trimEnd().split("\n").at(-1) };
}
