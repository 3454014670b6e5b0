import { deepEqual, equal, ok } from "node:assert/strict";
import { DEFAULT_LIMITS } from "../policy/fakes.ts";
import { eventually, ownFdCount, ownZombies, pidsWith } from "./processes.ts";
import { deadline, ECHO_GUEST, SandboxHarness } from "./sandbox_harness.ts";

const LINGERING_GUEST = `console.error("here"); setInterval(() => {}, 1000);`;

Deno.test("LaunchedGuest.kill() ends the sandbox whenever it is called", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const marker = crypto.randomUUID();
  for (const delayMs of [0, 0, 0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30]) {
    const guest = await harness.launch({ args: [marker] });
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
    guest.kill("wall-timeout");
    equal((await guest.exited).reason, "wall-timeout", `after ${delayMs} ms`);
    deepEqual(pidsWith(marker), [], `after ${delayMs} ms`);
  }
});

Deno.test("LaunchedGuest.kill() ends a sandbox whose processes were stopped", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  Deno.kill((await guest.guestPid)!, "SIGSTOP");
  guest.kill("heartbeat-lost");
  const { reason, signal } = await guest.exited;
  deepEqual({ reason, signal }, { reason: "heartbeat-lost", signal: "SIGKILL" });
});

Deno.test("LaunchedGuest.kill() keeps the first reason", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  guest.kill("handshake-timeout");
  guest.kill("stopped");
  equal((await guest.exited).reason, "handshake-timeout");
  guest.kill("protocol-error");
  equal((await guest.exited).reason, "handshake-timeout");
});

Deno.test("LaunchedGuest reports a guest that somebody else killed as signalled", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  Deno.kill((await guest.guestPid)!, "SIGKILL");
  const { reason, signal, exitCode } = await guest.exited;
  deepEqual({ reason, signal, exitCode }, { reason: "signal", signal: "SIGKILL", exitCode: null });
});

Deno.test("LaunchedGuest ends its guest when somebody kills bwrap", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const marker = crypto.randomUUID();
  const guest = await harness.launch({ args: [marker] });
  using _connection = await guest.accept(deadline());
  Deno.kill(guest.pid, "SIGKILL");
  equal((await guest.exited).reason, "signal");
  await eventually("the guest is gone", () => pidsWith(marker).length === 0);
});

Deno.test("LaunchedGuest kills a guest that writes more than it may", async () => {
  const limits = { ...DEFAULT_LIMITS, outputBytes: 100_000 };
  const guestScript = `const line = new Uint8Array(1000).fill(120); for (;;) Deno.stdout.writeSync(line);`;
  await using harness = await SandboxHarness.open(guestScript, { config: { limits } });
  let received = 0;
  const guest = await harness.launch({ onOutput: (_stream, chunk) => received += chunk.length });
  equal((await guest.exited).reason, "output-limit");
  ok(received <= limits.outputBytes, `${received} bytes came through`);
});

Deno.test("LaunchedGuest hands output on in order and keeps the end of stderr", async () => {
  const guestScript = `for (let i = 0; i < 3000; i++) { console.error("e" + i); console.log("o" + i); }`;
  await using harness = await SandboxHarness.open(guestScript);
  const output = { stdout: "", stderr: "" };
  const guest = await harness.launch({
    onOutput: (stream, chunk) => output[stream] += new TextDecoder().decode(chunk),
  });
  const { reason, exitCode, stderrTail } = await guest.exited;
  deepEqual({ reason, exitCode }, { reason: "clean-exit", exitCode: 0 });
  const lines = (letter: string) =>
    Array.from({ length: 3000 }, (_, index) => `${letter}${index}\n`).join("");
  deepEqual(output, { stdout: lines("o"), stderr: lines("e") });
  equal(stderrTail, lines("e").slice(-8192));
});

Deno.test("LaunchedGuest leaves no descriptor, process or zombie after 20 starts", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const marker = crypto.randomUUID();
  const cycle = async () => {
    await using guest = await harness.launch({ args: [marker] });
    using _connection = await guest.accept(deadline());
    guest.closeListener();
  };
  await cycle();
  const before = ownFdCount();
  for (let count = 0; count < 20; count++) await cycle();
  await eventually("descriptors are closed", () => ownFdCount() <= before);
  deepEqual(pidsWith(marker), []);
  deepEqual(ownZombies(), []);
});

Deno.test("LaunchedGuest can be disposed while its guest runs on", async () => {
  await using harness = await SandboxHarness.open(LINGERING_GUEST);
  const marker = crypto.randomUUID();
  {
    await using guest = await harness.launch({ args: [marker] });
    await eventually("the guest runs", () => guest.stderrTail() === "here\n");
    equal(pidsWith(marker).length, 3, "the guard, bubblewrap and the guest");
  }
  deepEqual(pidsWith(marker), []);
});

Deno.test("LaunchedGuest reports its end and lets go of the rest when a part cannot be removed", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const marker = crypto.randomUUID();
  const directory = harness.directory.createSandboxDirectory();
  const { promise: asked, resolve } = Promise.withResolvers<void>();
  const fail = () => {
    resolve();
    return Promise.reject(new Deno.errors.PermissionDenied("not yours"));
  };
  const before = ownFdCount();
  const guest = await harness.launch({ args: [marker], directory: { ...directory, remove: fail } });
  guest.kill("killed-by-host");
  equal((await guest.exited).reason, "killed-by-host");
  await asked;
  await eventually("descriptors are closed", () => ownFdCount() <= before);
  deepEqual(pidsWith(marker), []);
  await directory.remove();
});
