import assert from "node:assert/strict";
import { cordonExecBinary } from "../../src/launcher/exec/mod.ts";
import { maySeeProc, procIdentity, procText } from "../../src/launcher/proc_view.ts";

const helper = Deno.build.os === "linux" ? cordonExecBinary(Deno.build.arch) : null;
const SKIP = helper === null ? " [skipped: no cordon-exec for this machine]" : "";
const FOR_HELPER = { read: true, write: true, run: true } as const;

interface Trial {
  readonly claim: string;
  readonly permissions: Deno.TestDefinition["permissions"];
  readonly sees: boolean;
}

const TRIALS: readonly Trial[] = [
  { claim: "with all permissions", permissions: "inherit", sees: true },
  {
    claim: "by a helper where Deno keeps it from us",
    permissions: { ...FOR_HELPER, ffi: false },
    sees: false,
  },
];

for (const { claim, permissions, sees } of TRIALS) {
  Deno.test({
    name: `procText() and procIdentity() look into /proc ${claim}${SKIP}`,
    ignore: SKIP !== "",
    permissions: permissions ?? "inherit",
    async fn() {
      const directory = await Deno.makeTempDir();
      const path = `${directory}/cordon-exec`;
      await Deno.writeFile(path, helper!, { mode: 0o755 });
      assert.equal(maySeeProc(), sees);
      assert.match(procText(`/proc/${Deno.pid}/status`, path), /^VmData:\s+\d+ kB$/m);
      const { dev, ino } = await Deno.lstat(directory);
      assert.deepEqual({ ...procIdentity(`/proc/${Deno.pid}/root${directory}`, path) }.ino, ino);
      assert.equal(procIdentity(`/proc/${Deno.pid}/root${directory}`, path).dev, dev);
      assert.throws(() => procText("/proc/999999999/status", path), Deno.errors.NotFound);
      if (!sees) {
        assert.throws(() => procText("/proc/self/status", null), {
          name: "SandboxUnavailableError",
          hint: "Run the host with --allow-all",
        });
      }
      await Deno.remove(directory, { recursive: true });
    },
  });
}
