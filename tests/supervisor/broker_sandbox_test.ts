/** Checks the permission broker inside a real sandbox. */

import assert from "node:assert/strict";
import { startPermissionBroker } from "../../src/supervisor/broker.ts";
import type { PermissionAudit } from "../../src/supervisor/broker_types.ts";
import { sandboxPaths } from "../../src/launcher/sandbox_paths.ts";
import { deadline, readAll, SandboxHarness } from "../launcher/sandbox_harness.ts";

/** Connects, says so, waits for a word of the host, tries, tells. */
const GUEST = `
const [boot, hidden] = Deno.args;
const connection = await Deno.connect({ transport: "unix", path: boot.replace("boot.json", "rpc.sock") });
await connection.read(new Uint8Array(1));
const results = [];
for (const attempt of [
  () => Deno.readTextFileSync(hidden),
  () => Deno.readTextFileSync(boot),
  () => Deno.hostname(),
  () => Deno.osRelease(),
  () => Deno.UnsafePointer.create(1n),
]) {
  try { results.push("ok " + await attempt()); } catch (error) { results.push(error.name + ": " + error.message); }
}
await connection.write(new TextEncoder().encode(JSON.stringify(results)));
Deno.exit(0);
`;

Deno.test("startPermissionBroker() decides what a sandboxed plugin may do beyond its grant", async () => {
  await using harness = await SandboxHarness.open(GUEST);
  const directory = harness.directory.createSandboxDirectory();
  directory.write(directory.boot, "{}");
  const audit: PermissionAudit[] = [];
  await using broker = await startPermissionBroker({
    socketPath: `${directory.run}/broker.sock`,
    policy: harness.policy,
    paths: sandboxPaths(harness.policy, directory, harness.directory.files),
    audit: (entry) => audit.push(entry),
    onPermission: ({ permission, value }) => permission === "sys" && value === "hostname" ? "allow" : "deny",
  });
  const guest = await harness.launch({ directory, hasBroker: true, args: ["/etc/passwd"] });
  const connection = await guest.accept(deadline());
  broker.lockDown();
  await connection.write(new Uint8Array(1));
  const results = JSON.parse(await readAll(connection)) as string[];
  assert.deepEqual(results, [
    'NotCapable: Cannot read "/etc/passwd" as the plugin may not: the host denied it. ' +
    'Add permissions: { read: ["/etc/passwd"] }',
    'NotCapable: Cannot read "/run/cordon/boot.json" as the plugin may not: ' +
    "it belongs to the guest that the plugin runs in",
    "ok plugin",
    'NotCapable: Cannot ask the system for "osRelease" as the plugin may not: the host denied it. ' +
    'Add permissions: { sys: ["osRelease"] }',
    "NotCapable: Cannot use native code as the plugin may not: a plugin never loads native code",
  ]);
  assert.deepEqual(
    audit.filter(({ by }) => by !== "runtime").map((
      { permission, outcome, by },
    ) => [permission, outcome, by]),
    [
      ["read", "deny", "callback"],
      ["read", "deny", "rule"],
      ["sys", "allow", "callback"],
      ["sys", "deny", "callback"],
      ["ffi", "deny", "rule"],
    ],
  );
  await guest.exited;
});

Deno.test("a plugin whose broker goes away ends itself instead of going on without one", async () => {
  await using harness = await SandboxHarness.open(GUEST);
  const directory = harness.directory.createSandboxDirectory();
  directory.write(directory.boot, "{}");
  const broker = await startPermissionBroker({
    socketPath: `${directory.run}/broker.sock`,
    policy: harness.policy,
    paths: sandboxPaths(harness.policy, directory, harness.directory.files),
    audit: () => {},
  });
  const guest = await harness.launch({ directory, hasBroker: true, args: ["/etc/passwd"] });
  const connection = await guest.accept(deadline());
  await broker[Symbol.asyncDispose]();
  await connection.write(new Uint8Array(1));
  assert.equal(await readAll(connection), "");
  assert.equal((await guest.exited).exitCode, 87);
});
