import { deepEqual, ok, rejects } from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { type ChildProcess, spawn } from "node:child_process";
import { LaunchError } from "../../src/errors.ts";
import { cordonGuardArguments } from "../../src/launcher/exec/mod.ts";
import { handOver } from "../../src/launcher/hand_over.ts";
import type { LaunchRequest } from "../../src/launcher/types.ts";
import { nativeTest, testNative } from "../native/test_native.ts";
import { eventually, inheritableFds, ownFdCount, readProc, statusLine } from "./processes.ts";
import { deadline, ECHO_GUEST, SandboxHarness } from "./sandbox_harness.ts";

/** Of processes that talk with their host: the rest differs from one start to the next. */
function factsOf(pid: number): Record<string, unknown> {
  const status = ["Uid", "Gid", "Seccomp", "CapBnd", "CapEff"].map((name) => statusLine(pid, name));
  const groups = /^Groups:[ \t]*(.*?)[ \t]*$/m.exec(readProc(pid, "status") ?? "")?.[1];
  const fds = inheritableFds(pid);
  const kinds = Object.entries(fds).map(([fd, target]) => [fd, target.replace(/:\[\d+\]$/, "")]);
  const environment = (readProc(pid, "environ") ?? "").replace(/DENO_EXTRA_STDIO_FDS=[\d,]+\0/, "");
  return { status, groups, kinds, environment };
}

async function startedFacts(harness: SandboxHarness, changes: Partial<LaunchRequest>) {
  const guest = await harness.launch(changes);
  using _connection = await guest.accept(deadline());
  return { guard: factsOf(guest.pid), guest: factsOf((await guest.guestPid)!) };
}

Deno.test(nativeTest("launch() hands over what it would have had inherited, and the account"), async () => {
  using native = await testNative();
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const fd = openSync("/dev/zero", "r");
  try {
    const inherited = await startedFacts(harness, { inheritedFds: [fd] });
    const handed = await startedFacts(harness, { inheritedFds: [fd], native });
    deepEqual(handed, inherited);
    deepEqual((handed.guest["kinds"] as string[][]).at(-1), ["3", "/dev/zero"]);
    // Where it reports how the guest has ended.
    deepEqual((handed.guard["kinds"] as string[][]).map(([, kind]) => kind), ["socket"]);
  } finally {
    closeSync(fd);
  }
});

Deno.test(
  nativeTest("launch() with a hand-over tells exits apart and leaves no descriptor behind"),
  async () => {
    using native = await testNative();
    await using exiting = await SandboxHarness.open(`console.error("bye"); Deno.exit(42);`);
    const before = ownFdCount();
    for (let round = 0; round < 3; round++) {
      const { reason, exitCode, signal, stderrTail } = await (await exiting.launch({ native })).exited;
      deepEqual({ reason, exitCode, signal, stderrTail }, {
        ...{ reason: "exit-code", exitCode: 42, signal: null, stderrTail: "bye\n" },
      });
    }
    await eventually("descriptors are closed", () => ownFdCount() <= before);
  },
);

Deno.test(
  nativeTest("launch() with a hand-over rejects with the name of a bubblewrap that does not exist"),
  async () => {
    using native = await testNative();
    await using harness = await SandboxHarness.open(ECHO_GUEST);
    const bwrap = { path: "/nonexistent/bwrap", options: new Set<string>() };
    const guest = await harness.launch({ native, runtime: { bwrap, deno: harness.facts.deno! } });
    await rejects(guest.accept(deadline()), (error: Error) => {
      return error instanceof LaunchError && error.stage === "sandbox" &&
        error.stderrTail === "cordon-exec: /nonexistent/bwrap: ENOENT\n";
    });
  },
);

/** How guests ended that were killed so, each a little later than the one before. */
async function killed(kill: (guard: number) => void): Promise<(string | null)[]> {
  using native = await testNative();
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const signals: (string | null)[] = [];
  for (let round = 0; round < 20; round++) {
    const guest = await harness.launch({ native });
    const start = performance.now();
    while (performance.now() - start < round * 0.2);
    kill(guest.pid);
    signals.push((await guest.exited).signal);
  }
  return signals;
}

Deno.test(
  nativeTest("launch() with a hand-over settles when bubblewrap is killed in any moment"),
  async () => {
    const signals = await killed((guard) => {
      const children = readProc(guard, `task/${guard}/children`)?.trim().split(" ").filter(Boolean) ?? [];
      for (const pid of children) Deno.kill(Number(pid), "SIGKILL");
      if (children.length === 0) Deno.kill(guard, "SIGTERM");
    });
    // A guard that has only just begun ends of the signal itself.
    ok(signals.every((signal) => signal === "SIGKILL" || signal === "SIGTERM"), String(signals));
  },
);

Deno.test(
  nativeTest("launch() with a hand-over settles when the guard is killed in any moment"),
  async () => deepEqual(await killed((guard) => Deno.kill(guard, "SIGKILL")), Array(20).fill("SIGKILL")),
);

Deno.test(nativeTest("launch() with a hand-over says so when there are too many descriptors"), async () => {
  using native = await testNative();
  const fd = openSync("/dev/null", "r");
  const before = ownFdCount();
  try {
    let error: unknown;
    try {
      handOver(native, Array(5000).fill(fd));
    } catch (thrown) {
      error = thrown;
    }
    ok(error instanceof LaunchError && error.message.includes("5000 descriptors"), String(error));
    // What an earlier test left to close may go meanwhile.
    ok(ownFdCount() <= before);
  } finally {
    closeSync(fd);
  }
});

/** A guard that is promised two descriptors and finds as many as are given. */
async function guardWith(harness: SandboxHarness, given: readonly number[], status: string) {
  using native = await testNative();
  const plan = { descriptors: 2, statusPath: status, stdinFd: null, account: null };
  const args = cordonGuardArguments({ parentPid: Deno.pid, handOver: plan }, ["/bin/true"]);
  const input = handOver(native, given);
  try {
    return await outcome(spawn(harness.directory.files.exec!, args, { stdio: [input, "ignore", "pipe"] }));
  } finally {
    native.close(input);
  }
}

async function outcome(child: ChildProcess): Promise<[code: number | null, stderr: string]> {
  const chunks: string[] = [];
  child.stderr!.on("data", (chunk) => chunks.push(String(chunk)));
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return [code, chunks.join("")];
}

Deno.test(nativeTest("cordon-exec --receive takes exactly what it was promised, or ends"), async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const path = `${harness.directory.path}/status`;
  const fd = openSync("/dev/null", "r");
  try {
    using listener = Deno.listen({ transport: "unix", path });
    deepEqual(await guardWith(harness, [fd, fd], path), [0, ""]);
    (await listener.accept()).close();
    deepEqual(await guardWith(harness, [fd], path), [74, "cordon-exec: receive: EINVAL\n"]);
    await Deno.remove(path).catch(() => {});
    deepEqual(await guardWith(harness, [fd, fd], path), [74, "cordon-exec: status: ENOENT\n"]);
  } finally {
    closeSync(fd);
  }
});
