import assert from "node:assert/strict";
import { ConfigError, type SandboxUnavailableError } from "../../src/errors.ts";
import { blockingFindings } from "../../src/platform/blocking_findings.ts";
import { probeBwrap } from "../../src/platform/bwrap.ts";
import { probePlatform } from "../../src/platform/probe_platform.ts";
import { restrictionFacts } from "../../src/platform/restriction_facts.ts";
import { sandboxTier } from "../../src/policy/sandbox_tier.ts";

const isLinux = Deno.build.os === "linux";
const { bwrap } = isLinux ? (await probePlatform({ trial: false })).facts : { bwrap: null };
const needsBwrap = bwrap === null ? " [skipped: no usable bubblewrap]" : "";
const needsLinux = isLinux ? "" : " [skipped: not Linux]";

Deno.test({
  name: `probePlatform() finds this machine's programs and starts a trial sandbox${needsBwrap}`,
  ignore: bwrap === null,
  async fn() {
    const { facts, findings } = await probePlatform();
    assert.equal(facts.deno?.path, await Deno.realPath(Deno.execPath()));
    assert.ok(facts.deno.libraries.some(({ target }) => /\/libc\.so\.6$|musl/.test(target)));
    for (const { source } of facts.deno.libraries) assert.equal(await Deno.realPath(source), source);
    const trial = findings.find(({ id }) => id === "user-namespaces");
    assert.equal(facts.namespacesWork, trial?.level === "ok", trial?.evidence);
    assert.equal(new Set(findings.map(({ id }) => id)).size, findings.length);
  },
});

Deno.test({
  name: `probePlatform() without a trial claims no namespaces${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    const { facts, findings } = await probePlatform({ trial: false });
    assert.equal(facts.namespacesWork, false);
    assert.equal(findings.find(({ id }) => id === "user-namespaces")?.level, "skip");
  },
});

Deno.test({
  name: `probePlatform() reports a missing bubblewrap with the command for each package manager${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    const report = await probePlatform({ bwrap: "/nonexistent/bwrap" });
    assert.equal(report.facts.bwrap, null);
    assert.equal(report.facts.namespacesWork, false);
    const [finding] = blockingFindings(report);
    assert.equal(finding?.id, "bwrap");
    assert.equal(finding.summary, "bubblewrap is not installed");
    assert.deepEqual(finding.fix?.map((line) => line.split(" ")[1]), [
      "apt-get",
      "dnf",
      "pacman",
      "zypper",
      "apk",
    ]);
  },
});

Deno.test({
  name:
    `probePlatform() reports a bubblewrap that fails as the reason why namespaces do not work${needsBwrap}`,
  ignore: bwrap === null,
  async fn() {
    await using program = await fakeBwrap(
      `if [ "$1" = --help ]; then exec ${bwrap?.path} --help; fi\n` +
        `if [ "$1" = --version ]; then echo bubblewrap 9.9; exit 0; fi\n` +
        `echo "bwrap: Unknown option --disable-userns" >&2; exit 1`,
    );
    const { facts, findings } = await probePlatform({ bwrap: program.path });
    assert.equal(facts.bwrap?.version, "9.9");
    assert.equal(facts.namespacesWork, false);
    const finding = findings.find(({ id }) => id === "user-namespaces");
    assert.match(
      finding?.evidence ?? "",
      /^old-bwrap: bwrap ended with 1 and printed: bwrap: Unknown option/,
    );
  },
});

Deno.test({
  name:
    `probePlatform() does not believe a bubblewrap that exits with 0 without having run the program inside${needsBwrap}`,
  ignore: bwrap === null,
  async fn() {
    await using program = await fakeBwrap(
      `if [ "$1" = --help ]; then exec ${bwrap?.path} --help; fi\nexit 0`,
    );
    assert.equal((await probePlatform({ bwrap: program.path })).facts.namespacesWork, false);
  },
});

Deno.test({
  name: `probeBwrap() refuses a program that others may replace${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    await using program = await fakeBwrap("exit 0");
    await Deno.chmod(program.path, 0o777);
    const { fact, finding } = await probeBwrap(program.path);
    assert.equal(fact, null);
    assert.equal(finding.level, "fail");
    assert.equal(finding.summary, "bubblewrap cannot be trusted: the file is writable by others");
  },
});

Deno.test({
  name: `probeBwrap() refuses a bubblewrap without the options that confinement needs${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    await using program = await fakeBwrap(`echo "    --args FD   Parse"; exit 0`);
    const { fact, finding } = await probeBwrap(program.path);
    assert.deepEqual([...fact?.options ?? []], ["args"]);
    assert.match(finding.summary, /is too old: it has no --as-pid-1, no --disable-userns/);
    assert.equal(finding.level, "fail");
  },
});

Deno.test({
  name: `an old bubblewrap is why there is no sandbox, in the words of its probe${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    await using program = await fakeBwrap(`echo "    --args FD   Parse"; echo "bubblewrap 0.6.1"; exit 0`);
    const { facts, findings } = await probePlatform({ bwrap: program.path });
    const tooOld = /bubblewrap 0\.6\.1 is too old/;
    assert.throws(() => sandboxTier("required", facts), tooOld);
    assert.throws(() => sandboxTier("required", facts, findings), (error: SandboxUnavailableError) => {
      assert.match(error.message, tooOld);
      assert.match(error.hint ?? "", /^Install bubblewrap 0\.8\.0 or newer/);
      return true;
    });
  },
});

Deno.test("probePlatform() refuses relative paths", async () => {
  for (const key of ["bwrap", "deno"] as const) {
    await assert.rejects(probePlatform({ [key]: "bin/x" }), (error) => {
      assert.ok(error instanceof ConfigError);
      assert.equal(error.path, key);
      assert.equal(error.message, `Cannot use "bin/x" as "${key}" must be an absolute path`);
      return true;
    });
  }
});

Deno.test({
  name: `probePlatform() reports a runtime that is no executable${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    const { facts, findings } = await probePlatform({ deno: "/etc/passwd", trial: false });
    assert.equal(facts.deno, null);
    assert.equal(findings.find(({ id }) => id === "deno")?.level, "fail");
  },
});

Deno.test({
  name: `probePlatform() reports a runtime that is missing or a directory, by its path${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    for (const deno of ["/nonexistent/deno", "/tmp"]) {
      const { facts, findings } = await probePlatform({ deno, trial: false });
      const finding = findings.find(({ id }) => id === "deno");
      assert.equal(facts.deno, null);
      assert.equal(
        finding?.summary,
        `Plugins have no Deno to run on: the Deno runtime "${deno}" cannot be read`,
      );
      assert.match(finding?.fix?.[0] ?? "", /option `deno`/);
    }
  },
});

Deno.test({
  name: `restrictionFacts() reads the settings of this machine${needsLinux}`,
  ignore: !isLinux,
  async fn() {
    const facts = await restrictionFacts();
    assert.equal(facts.os, "linux");
    assert.match(facts.kernelVersion, /^Linux version/);
  },
});

async function fakeBwrap(body: string): Promise<AsyncDisposable & { readonly path: string }> {
  const directory = await Deno.makeTempDir();
  await Deno.chmod(directory, 0o755);
  const path = `${directory}/bwrap`;
  await Deno.writeTextFile(path, `#!/bin/sh\n${body}\n`);
  await Deno.chmod(path, 0o755);
  return { path, [Symbol.asyncDispose]: () => Deno.remove(directory, { recursive: true }) };
}
