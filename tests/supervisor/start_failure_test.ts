/** Starts that bubblewrap refuses, with the cause and the repair. */

import assert from "node:assert/strict";
import { LaunchError } from "../../src/errors.ts";
import type { ExitReport, LaunchedGuest } from "../../src/launcher/types.ts";
import { probePlatform } from "../../src/platform/mod.ts";
import { startFailure } from "../../src/supervisor/start_failure.ts";
import { folderWith, testHost } from "../testing/fixtures.ts";

function failed(exit: Partial<ExitReport>, isTimeout = false): Promise<LaunchError> {
  const report: ExitReport = {
    reason: "sandbox-setup-failed",
    exitCode: 1,
    signal: null,
    stderrTail: "",
    ...exit,
  };
  const guest = { kill: () => {}, exited: Promise.resolve(report) } as unknown as LaunchedGuest;
  return startFailure(new Error("cause"), { guest, config: { name: "a", startupTimeoutMs: 50 }, isTimeout });
}

Deno.test("startFailure() classifies what bubblewrap printed", async () => {
  const error = await failed({ stderrTail: "bwrap: No permissions to create new namespace\n" });
  assert.equal(error.stage, "sandbox");
  assert.equal(error.findings.length, 1);
  assert.equal(error.hint, error.findings[0]?.fix?.[0]);
  assert.match(error.findings[0]?.evidence ?? "", /No permissions to create new namespace/);
});

Deno.test("startFailure() does not blame namespaces for what the helper behind them could not do", async () => {
  const error = await failed({ exitCode: 68, stderrTail: "cordon-exec: landlock: EPERM\n" });
  assert.deepEqual([error.stage, error.findings], ["sandbox", []]);
  assert.match(error.hint ?? "", /cordon doctor/);
});

Deno.test("startFailure() tells a slow start and an early end apart", async () => {
  const slow = await failed({ reason: "handshake-timeout", exitCode: null, signal: "SIGKILL" }, true);
  assert.deepEqual([slow.stage, slow.message], [
    "handshake",
    'Cannot start plugin "a": no handshake within 50 ms',
  ]);
  assert.match(slow.hint ?? "", /startupTimeoutMs/);
  const early = await failed({ reason: "exit-code", exitCode: 3 });
  assert.deepEqual([early.stage, early.message], [
    "handshake",
    'Cannot start plugin "a": the process ended before its handshake (exit code 3)',
  ]);
});

const { facts } = await probePlatform();
const skip = facts.bwrap !== null && facts.namespacesWork ? "" : " [skipped: bubblewrap does not work here]";

Deno.test({
  name: `Host.load() says why bubblewrap could not set a sandbox up${skip}`,
  ignore: skip !== "",
  async fn() {
    await using folder = await folderWith({
      bwrap: `#!/bin/sh
if [ -e "\${0%/*}/broken" ]; then
  echo "bwrap: Creating new namespace failed: Operation not permitted" >&2
  exit 1
fi
exec ${facts.bwrap?.path} "$@"
`,
    });
    await Deno.chmod(`${folder.path}/bwrap`, 0o755);
    await using test = await testHost({ bwrap: `${folder.path}/bwrap` });
    const path = await test.plugin(`export const one = () => 1;`);
    await (await test.host.load(path)).stop();
    await Deno.writeTextFile(`${folder.path}/broken`, "");
    await assert.rejects(test.host.load(path), (error: unknown) => {
      assert.ok(error instanceof LaunchError);
      assert.equal(error.stage, "sandbox");
      assert.equal(error.findings[0]?.level, "fail");
      assert.match(error.findings[0]?.evidence ?? "", /Creating new namespace failed/);
      assert.ok((error.findings[0]?.fix ?? []).includes(error.hint ?? ""));
      return true;
    });
  },
});
