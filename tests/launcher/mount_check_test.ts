import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import type { LoadConfig } from "../../src/config/types.ts";
import { PermissionDeniedError } from "../../src/errors.ts";
import { checkMounts, expectedMounts } from "../../src/launcher/mount_check.ts";
import { NO_PERMISSIONS } from "../policy/fakes.ts";
import { GrantedDirectory } from "./granted_directory.ts";
import { deadline, ECHO_GUEST, realFacts, SandboxHarness } from "./sandbox_harness.ts";

function reading(path: string): { config: Partial<LoadConfig> } {
  return { config: { permissions: { ...NO_PERMISSIONS, read: [{ source: path, target: "/data" }] } } };
}

const takesFds = (await realFacts()).bwrap?.options.has("ro-bind-fd") === true;

for (const withFds of [true, false]) {
  const ignore = withFds && !takesFds;
  const why = ignore ? " [skipped: this bwrap takes none]" : "";
  const how = withFds ? `by descriptor${why}` : "by path, for a bwrap that takes no descriptors";

  Deno.test(`launch() shows a granted directory ${how}`, { ignore }, async () => {
    await using granted = await GrantedDirectory.make();
    await using harness = await SandboxHarness.open(ECHO_GUEST, reading(granted.path));
    const guest = await harness.launch({ runtime: runtime(harness, withFds) });
    using _connection = await guest.accept(deadline());
    const inside = [...Deno.readDirSync(`/proc/${await guest.guestPid}/root/data`)].map((entry) =>
      entry.name
    );
    deepEqual(inside.sort(), ["in", "out"]);
  });

  Deno.test(
    `launch() refuses a granted path that became a link since its check, ${how}`,
    { ignore },
    async () => {
      await using granted = await GrantedDirectory.make();
      await using harness = await SandboxHarness.open(ECHO_GUEST, reading(join(granted.path, "in")));
      await Deno.remove(join(granted.path, "in"));
      await Deno.symlink("/etc", join(granted.path, "in"));
      await rejects(
        harness.launch({ runtime: runtime(harness, withFds) }),
        (error: Error) => error instanceof PermissionDeniedError && error.message.includes('"/etc"'),
      );
    },
  );
}

Deno.test("LaunchedGuest.accept() refuses a guest that sees another directory than was checked", async () => {
  await using granted = await GrantedDirectory.make();
  await Deno.chmod(granted.path, 0o777);
  await using harness = await SandboxHarness.open(ECHO_GUEST, reading(join(granted.path, "in")));
  // Takes its place between the check and the mount, when bubblewrap has just been started.
  const { bwrap, deno } = runtime(harness, false);
  const swap = `/bin/mv ${granted.path}/in ${granted.path}/old; /bin/mkdir ${granted.path}/in`;
  const impostor = join(granted.path, "bwrap");
  await Deno.writeTextFile(impostor, `#!/bin/sh\n${swap}\nexec ${bwrap.path} "$@"\n`);
  await Deno.chmod(impostor, 0o755);
  const guest = await harness.launch({ runtime: { bwrap: { ...bwrap, path: impostor }, deno } });
  await rejects(
    guest.accept(deadline()),
    (error: Error) =>
      error instanceof PermissionDeniedError && /another file stands there/.test(error.message),
  );
  equal((await guest.exited).reason, "sandbox-setup-failed");
});

Deno.test("checkMounts() tells another file from the granted one", async () => {
  await using granted = await GrantedDirectory.make();
  await using harness = await SandboxHarness.open(ECHO_GUEST, reading(join(granted.path, "in")));
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const pid = (await guest.guestPid)!;
  const mount = (name: string) => ({
    source: join(granted.path, name),
    target: "/data",
    mode: "read-only" as const,
  });
  equal(checkMounts(pid, expectedMounts([mount("in")])), undefined);
  throws(() => checkMounts(pid, expectedMounts([mount("out")])), PermissionDeniedError);
});

function runtime(harness: SandboxHarness, withFds: boolean) {
  const { bwrap, deno } = harness.facts;
  const options = new Set(
    [...bwrap!.options].filter((option) => withFds || !option.endsWith("-fd") || option === "json-status-fd"),
  );
  return { bwrap: { path: bwrap!.path, options }, deno: deno! };
}
