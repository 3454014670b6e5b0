import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/mod.ts";

const { facts } = await probePlatform();
const LINUX = facts.os === "linux" ? "" : " [skipped: not Linux]";
const TRIAL = facts.namespacesWork ? LINUX : " [skipped: no user namespaces or no bubblewrap]";
const NO_FFI = { read: true, write: true, run: true, env: true, sys: true, net: true, ffi: false } as const;

Deno.test({
  name: `probePlatform() without FFI tries a filter instead of reading /proc${TRIAL}`,
  ignore: TRIAL !== "",
  permissions: NO_FFI,
  async fn() {
    await assert.rejects(Deno.readTextFile("/proc/self/status"), Deno.errors.NotCapable);
    const report = await probePlatform();
    assert.deepEqual([report.facts.seccompFilter, report.facts.namespacesWork], [true, true]);
    assert.match(evidence(report, "seccomp"), /^a trial sandbox with a filter started; /);
    assert.equal(report.facts.cgroup, null);
    const cgroup = report.findings.find(({ id }) => id === "cgroup");
    assert.deepEqual(cgroup?.fix, ["Run the host with --allow-all (deno run -A)"]);
  },
});

Deno.test({
  name: `probePlatform() without FFI and without a sandbox to try names the permissions as the cause${LINUX}`,
  ignore: LINUX !== "",
  permissions: NO_FFI,
  async fn() {
    const report = await probePlatform({ bwrap: "/nonexistent/bwrap" });
    assert.equal(report.facts.seccompFilter, false);
    const { level, summary, fix } = report.findings.find(({ id }) => id === "seccomp")!;
    assert.equal(level, "fail");
    assert.match(summary, /Deno shows \/proc only to hosts with all permissions, FFI among them/);
    assert.deepEqual(fix, ["Run the host with --allow-all (deno run -A)"]);
  },
});

function evidence(report: Awaited<ReturnType<typeof probePlatform>>, id: string): string {
  return report.findings.find((finding) => finding.id === id)?.evidence ?? "";
}
