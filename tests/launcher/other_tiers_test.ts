import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { LaunchError } from "../../src/errors.ts";
import { NO_PERMISSIONS } from "../policy/fakes.ts";
import { pidsWith, readProc, statusLine } from "./processes.ts";
import { deadline, type HarnessOptions, readAll, SandboxHarness } from "./sandbox_harness.ts";

/** Reports, over the socket, what a native call and Deno's own permissions answer. */
const REPORTING_GUEST = `
const connection = await Deno.connect({ transport: "unix", path: Deno.args[0].replace("boot.json", "rpc.sock") });
const outcome = (action) => { try { return String(action()); } catch (error) { return error.name; } };
const report = {
  args: Deno.args.slice(1),
  etc: outcome(() => Deno.readTextFileSync("/etc/passwd").length > 0),
  run: outcome(() => new Deno.Command("/bin/true").outputSync().code),
};
await connection.write(new TextEncoder().encode(JSON.stringify(report) + "\\n"));
for await (const _chunk of connection.readable);
`;

const TIERS: readonly [name: string, options: HarnessOptions][] = [
  ["landlock", { config: { sandbox: "best-effort" }, facts: { bwrap: null } }],
  ["permissions-only", { config: { sandbox: "permissions-only" } }],
];

for (const [tier, options] of TIERS) {
  Deno.test(`launch() in the ${tier} tier starts a guest that talks over its socket`, async () => {
    await using harness = await SandboxHarness.open(REPORTING_GUEST, options);
    equal(harness.policy.tier, tier);
    const guest = await harness.launch({ args: ["--allow-all", "b c"] });
    const connection = await guest.accept(deadline());
    guest.closeListener();
    await connection.closeWrite();
    const report = JSON.parse(await readAll(connection));
    deepEqual(report, { args: ["--allow-all", "b c"], etc: "NotCapable", run: "NotCapable" });
    guest.noteGoodbye();
    equal((await guest.exited).reason, "clean-exit");
  });

  Deno.test(`launch() in the ${tier} tier sets no_new_privs, limits and an unprivileged account`, async () => {
    await using harness = await SandboxHarness.open(REPORTING_GUEST, options);
    const guest = await harness.launch();
    using _connection = await guest.accept(deadline());
    const pid = (await guest.guestPid)!;
    equal(statusLine(pid, "NoNewPrivs"), "1");
    equal(statusLine(pid, "Seccomp"), tier === "landlock" ? "2" : "0");
    equal(statusLine(pid, "Uid")?.split("\t")[0], String(Deno.uid() === 0 ? 65534 : Deno.uid()));
    const files = readProc(pid, "limits")!.split("\n").find((line) => line.startsWith("Max open files"))!;
    deepEqual(files.split(/\s+/).slice(3, 5), ["256", "256"]);
    const home = readProc(pid, "environ")!.split("\0").find((variable) => variable.startsWith("HOME="));
    equal(home, `HOME=${guest.paths.run}`, "the runtime would leave its cache behind");
  });

  Deno.test(`launch() in the ${tier} tier gives the process only granted variables and the runtime's own`, async () => {
    using variables = new DisposableStack();
    Deno.env.set("CORDON_TEST_CANARY", "secret");
    variables.defer(() => Deno.env.delete("CORDON_TEST_CANARY"));
    const config = { ...options.config, permissions: { ...NO_PERMISSIONS, env: { GREETING: "hello" } } };
    await using harness = await SandboxHarness.open(REPORTING_GUEST, { ...options, config });
    const guest = await harness.launch();
    using _connection = await guest.accept(deadline());
    const environment = readProc((await guest.guestPid)!, "environ")!.split("\0").filter((one) => one !== "");
    const names = environment.map((one) => one.slice(0, one.indexOf("=")));
    const expected = [
      ...["DENO_EXTRA_STDIO_FDS", "DENO_NO_UPDATE_CHECK", "GREETING", "HOME"],
      ...["MALLOC_MMAP_THRESHOLD_", "MALLOC_TRIM_THRESHOLD_", "NO_COLOR"],
    ];
    deepEqual(names.sort(), expected);
    ok(environment.includes("GREETING=hello"));
    ok(Object.keys(Deno.env.toObject()).includes("CORDON_TEST_CANARY"), "the control: the host has it");
  });

  Deno.test(`LaunchedGuest.kill() in the ${tier} tier leaves nothing`, async () => {
    await using harness = await SandboxHarness.open(REPORTING_GUEST, options);
    const marker = crypto.randomUUID();
    for (const connected of [false, true]) {
      const guest = await harness.launch({ args: [marker] });
      if (connected) (await guest.accept(deadline())).close();
      guest.kill("wall-timeout");
      deepEqual([(await guest.exited).reason, pidsWith(marker)], ["wall-timeout", []]);
    }
  });
}

Deno.test("launch() in the landlock tier refuses to start without the helper that confines", async () => {
  for (const [tier, options] of TIERS) {
    await using harness = await SandboxHarness.open(REPORTING_GUEST, options);
    const launched = harness.launch({ files: { ...harness.directory.files, exec: null } });
    if (tier === "landlock") {
      await rejects(launched, { name: "SandboxUnavailableError", message: /cordon-exec was not built/ });
    } else {
      using _connection = await (await launched).accept(deadline());
    }
  }
});

Deno.test("launch() in the landlock tier confines files by the kernel, not by Deno alone", async () => {
  const read =
    `try { await import("node:fs").then((fs) => fs.readFileSync("/etc/passwd")); console.log("read"); }
    catch (error) { console.log(error.code ?? error.name); }`;
  const results: string[] = [];
  for (const [tier, options] of TIERS) {
    await using harness = await SandboxHarness.open(read, options);
    const open = { ...harness.policy, deno: { ...harness.policy.deno, read: ["/etc/passwd"] } };
    let output = "";
    const guest = await harness.launch({
      policy: open,
      onOutput: (_stream, chunk) => output += new TextDecoder().decode(chunk),
    });
    await guest.exited;
    results.push(`${tier}: ${output.trim()}`);
  }
  deepEqual(results, ["landlock: EACCES", "permissions-only: read"]);
});

Deno.test("launch() in the landlock tier reports what the helper could not do", async () => {
  await using harness = await SandboxHarness.open(REPORTING_GUEST, TIERS[0]![1]);
  const mounts = [{ source: "/nonexistent/grant", target: "/nonexistent/grant", mode: "read-only" as const }];
  const guest = await harness.launch({ policy: { ...harness.policy, mounts } });
  await rejects(
    guest.accept(deadline()),
    (error: Error) => error instanceof LaunchError && error.stage === "sandbox",
  );
  const { reason, stderrTail } = await guest.exited;
  equal(reason, "sandbox-setup-failed");
  ok(stderrTail.includes("/nonexistent/grant"), stderrTail);
});
