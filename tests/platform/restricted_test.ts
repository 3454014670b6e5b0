import assert from "node:assert/strict";
import { probePlatform } from "../../src/platform/mod.ts";

/** Restrictions that are put in place for real around a probe of this machine. */
interface Restriction {
  readonly claim: string;
  /** Arguments of unshare(1) before the shell. */
  readonly unshare: readonly string[];
  /** What the shell does before it becomes the probe. */
  readonly setUp: string;
  readonly model: string;
  readonly fix: RegExp;
}

const RESTRICTIONS: readonly Restriction[] = [
  {
    claim: "a read-only /proc/sys, as in a container",
    unshare: ["-m"],
    setUp: "mount --bind /proc/sys /proc/sys && mount -o remount,bind,ro /proc/sys",
    model: "container-read-only-proc",
    fix: /systempaths=unconfined/,
  },
  {
    claim: "a limit of no user namespaces",
    unshare: ["-U", "--map-user=1000", "--keep-caps"],
    setUp: "echo 0 > /proc/sys/user/max_user_namespaces",
    model: "namespace-limit-zero",
    fix: /user\.max_user_namespaces/,
  },
  {
    claim: "a root that cannot become another account",
    unshare: ["-U", "-r"],
    setUp: "true",
    model: "no-such-account",
    fix: /ordinary account/,
  },
];

const isUnrestricted = (await probePlatform()).facts.namespacesWork;

for (const { claim, unshare, setUp, model, fix } of RESTRICTIONS) {
  const reason = await reasonToSkip(unshare, setUp);
  Deno.test({
    name: `probePlatform() names ${claim} as the cause and how to repair it${reason}`,
    ignore: reason !== "",
    async fn() {
      // bubblewrap refuses to run with ambient capabilities, which only the set-up needs.
      const { code, stdout, stderr } = await shell(
        unshare,
        `${setUp}; exec setpriv --inh-caps=-all --ambient-caps=-all "$0" run -A --no-lock "$1"`,
      );
      assert.equal(code, 0, stderr);
      const { namespacesWork, findings } = JSON.parse(stdout);
      assert.equal(namespacesWork, false);
      const finding = findings.find(({ id }: { id: string }) => id === "user-namespaces");
      assert.match(finding.evidence, new RegExp(`^${model}: `));
      assert.match(finding.fix.join("\n"), fix);
    },
  });
}

async function reasonToSkip(unshare: readonly string[], setUp: string): Promise<string> {
  if (Deno.build.os !== "linux") return " [skipped: not Linux]";
  if (!isUnrestricted) return " [skipped: this machine is restricted already]";
  if (Deno.uid() !== 0) return " [skipped: only root may put this restriction in place]";
  const { code } = await shell(unshare, setUp);
  return code === 0 ? "" : " [skipped: this machine does not let it be put in place]";
}

async function shell(
  unshare: readonly string[],
  script: string,
): Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }> {
  const { code, stdout, stderr } = await new Deno.Command("unshare", {
    args: [...unshare, "sh", "-c", script, Deno.execPath(), "tests/fixtures/platform/report.ts"],
  }).output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
