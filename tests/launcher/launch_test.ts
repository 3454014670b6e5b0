import { deepEqual, equal, rejects } from "node:assert/strict";
import { LaunchError } from "../../src/errors.ts";
import { deadline, ECHO_GUEST, readAll, SandboxHarness } from "./sandbox_harness.ts";

Deno.test("launch() starts a guest that talks over its socket", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  const connection = await guest.accept(deadline());
  guest.closeListener();
  await connection.write(new TextEncoder().encode("hello"));
  await connection.closeWrite();
  equal(await readAll(connection), "hello");
  guest.noteGoodbye();
  const { reason, exitCode, signal } = await guest.exited;
  deepEqual({ reason, exitCode, signal }, { reason: "clean-exit", exitCode: 0, signal: null });
});

Deno.test("launch() rejects with the program's name when it does not exist", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const bwrap = { path: "/nonexistent/bwrap", options: new Set<string>() };
  const directory = await harness.directory.createSandboxDirectory();
  await rejects(
    harness.launch({
      directory,
      runtime: { bwrap, deno: harness.facts.deno! },
    }),
    (error: Error) =>
      error instanceof LaunchError && error.stage === "spawn" && error.message.includes("/nonexistent/bwrap"),
  );
});

Deno.test("LaunchedGuest.accept() rejects with stderr when the guest ends without connecting", async () => {
  await using harness = await SandboxHarness.open(`console.error("no reason to live"); Deno.exit(3);`);
  const guest = await harness.launch();
  await rejects(guest.accept(deadline()), (error: Error) => {
    return error instanceof LaunchError && error.exitCode === 3 &&
      error.stderrTail.includes("no reason to live");
  });
});

Deno.test("LaunchedGuest.accept() rejects with the reason of its signal and accepts later", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  const reason = new Error("changed my mind");
  await rejects(guest.accept(AbortSignal.abort(reason)), reason);
  using _connection = await guest.accept(deadline());
});
