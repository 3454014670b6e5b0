import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { DisposedError, LaunchError, SandboxUnavailableError } from "../../src/errors.ts";
import { DEFAULT_LIMITS } from "../policy/fakes.ts";
import { deadline, ECHO_GUEST, readAll, realFacts, SandboxHarness } from "./sandbox_harness.ts";

const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " [skipped: needs a root host]";
const HOST_PROCESS = new URL("fixtures/host_process.ts", import.meta.url).pathname;

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
  const files = { ...harness.directory.files, exec: "/nonexistent/cordon-exec" };
  await rejects(
    harness.launch({ files }),
    (error: Error) =>
      error instanceof LaunchError && error.stage === "spawn" &&
      error.message.includes("/nonexistent/cordon-exec"),
  );
});

Deno.test("launch() refuses a limit that the host must watch where it may not read /proc", async () => {
  const limits = { ...DEFAULT_LIMITS, cpuPercent: 50 };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { limits } });
  const { readTextFileSync } = Deno;
  try {
    Deno.readTextFileSync = (path, ...rest) => {
      if (path === "/proc/self/stat") throw new Deno.errors.NotCapable("Requires --allow-all");
      return readTextFileSync(path, ...rest);
    };
    await rejects(harness.launch(), (error: Error) => {
      return error instanceof SandboxUnavailableError && error.findings[0]?.id === "limit-cpuPercent";
    });
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
  using _connection = await (await harness.launch()).accept(deadline());
});

Deno.test("LaunchedGuest.accept() rejects with the name of a bubblewrap that does not exist", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const bwrap = { path: "/nonexistent/bwrap", options: new Set<string>() };
  const guest = await harness.launch({ runtime: { bwrap, deno: harness.facts.deno! } });
  await rejects(guest.accept(deadline()), (error: Error) => {
    return error instanceof LaunchError && error.stage === "sandbox" &&
      error.stderrTail === "cordon-exec: /nonexistent/bwrap: ENOENT\n";
  });
});

Deno.test("LaunchedGuest.accept() rejects with stderr when the guest ends without connecting", async () => {
  await using harness = await SandboxHarness.open(`console.error("no reason to live"); Deno.exit(3);`);
  const guest = await harness.launch();
  await rejects(guest.accept(deadline()), (error: Error) => {
    return error instanceof LaunchError && error.exitCode === 3 &&
      error.stderrTail.includes("no reason to live");
  });
});

Deno.test("LaunchedGuest.accept() rejects when the guest cannot enter its control group", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  // A directory whose files take the bounds but which is no control group: nothing can enter it.
  const root = await Deno.makeTempDir({ prefix: "cordon-cgroup-" });
  const { mkdirSync } = Deno;
  const bounds = ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes", "memory.oom_control", "pids.max"];
  const directories = { memory: root, pids: root };
  const policy = { ...harness.policy, cgroup: { version: 1, directories } } as const;
  try {
    Deno.mkdirSync = (path, options) => {
      mkdirSync(path, options);
      const isLeaf = String(path).startsWith(root);
      for (const file of isLeaf ? bounds : []) Deno.writeTextFileSync(`${path}/${file}`, "");
    };
    const guest = await harness.launch({ policy });
    await rejects(guest.accept(deadline()), (error: Error) => {
      return error instanceof SandboxUnavailableError && error.findings[0]?.id === "cgroup" &&
        error.message.includes("cgroup.procs");
    });
    equal((await guest.exited).reason, "sandbox-setup-failed");
  } finally {
    Deno.mkdirSync = mkdirSync;
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("LaunchedGuest.accept() rejects with the reason of its signal and accepts later", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  const reason = new Error("changed my mind");
  await rejects(guest.accept(AbortSignal.abort(reason)), reason);
  using _connection = await guest.accept(deadline());
});

Deno.test("LaunchedGuest reports bwrap's own words when the sandbox cannot be set up", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const { bwrap, deno } = harness.facts;
  const libraries = [...deno!.libraries, { source: "/nonexistent/libx.so", target: "/lib/libx.so" }];
  const guest = await harness.launch({ runtime: { bwrap, deno: { ...deno!, libraries } } });
  await rejects(
    guest.accept(deadline()),
    (error: Error) => error instanceof LaunchError && error.stage === "sandbox",
  );
  const { reason, exitCode, stderrTail } = await guest.exited;
  deepEqual({ reason, exitCode }, { reason: "sandbox-setup-failed", exitCode: 1 });
  ok(stderrTail.includes("/nonexistent/libx.so"), stderrTail);
});

Deno.test("LaunchedGuest.accept() rejects after closeListener()", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const waiting = guest.accept(deadline());
  guest.closeListener();
  guest.closeListener();
  await rejects(waiting, DisposedError);
  await rejects(guest.accept(deadline()), DisposedError);
});

Deno.test("launch() with inherited streams gives the guest the host's own", async () => {
  const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
  await Deno.chmod(runtimeDirectory, 0o711);
  const guestScript = `const text = await new Response(Deno.stdin.readable).text();
    console.log(text.toUpperCase()); console.error("and " + Deno.args[1]); Deno.exit(7);`;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "--no-check",
      HOST_PROCESS,
      runtimeDirectory,
      "marked",
      "inherit",
      guestScript,
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("shout"));
  await writer.close();
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  deepEqual([code, text(stdout), text(stderr)], [7, "SHOUT\n", "and marked\n"]);
  await Deno.remove(runtimeDirectory, { recursive: true });
});

Deno.test({
  name: `launch() starts a runtime that lies where the account cannot go${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    const hidden = await Deno.makeTempDir({ prefix: "cordon-hidden-" });
    const path = `${hidden}/deno`;
    const { deno } = await realFacts();
    await Deno.link(deno!.path, path);
    await using harness = await SandboxHarness.open(ECHO_GUEST, { facts: { deno: { ...deno!, path } } });
    const guest = await harness.launch();
    using _connection = await guest.accept(deadline());
    equal(harness.directory.files.deno, `${harness.directory.path}/shared/deno`);
    await Deno.remove(hidden, { recursive: true });
  },
});
