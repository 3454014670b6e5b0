import { deepEqual, ok } from "node:assert/strict";
import { CpuGovernor } from "../../src/launcher/cpu_governor.ts";
import { DEFAULT_LIMITS } from "../policy/fakes.ts";
import { eventually, readProc } from "./processes.ts";
import { deadline, SandboxHarness } from "./sandbox_harness.ts";

const SPINNING_GUEST = `
await Deno.connect({ transport: "unix", path: Deno.args[0].replace("boot.json", "rpc.sock") });
for (;;);
`;

/** Processor time and state of a process. */
function stat(pid: number): { cpuMs: number; state: string } {
  const fields = readProc(pid, "stat")!.split(") ").at(-1)!.split(" ");
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * 10, state: fields[0]! };
}

for (const sandbox of ["required", "permissions-only"] as const) {
  Deno.test(`limits.cpuPercent keeps a spinning guest to its share, sandbox "${sandbox}"`, async () => {
    const limits = { ...DEFAULT_LIMITS, cpuPercent: 20 };
    await using harness = await SandboxHarness.open(SPINNING_GUEST, { config: { limits, sandbox } });
    const guest = await harness.launch();
    using _connection = await guest.accept(deadline());
    const pid = (await guest.guestPid)!;
    const [startMs, start] = [performance.now(), stat(pid).cpuMs];
    const seen = new Set<string>();
    await eventually(
      "a second has passed",
      () => (seen.add(stat(pid).state), performance.now() - startMs > 1000),
    );
    const share = (stat(pid).cpuMs - start) / (performance.now() - startMs);
    ok(share < 0.35, `it had ${Math.round(share * 100)} %`);
    ok(seen.has("T"), `its states were ${[...seen]}`);
    guest.kill("stopped");
    deepEqual((await guest.exited).signal, "SIGKILL");
  });
}

Deno.test("CpuGovernor leaves a process alone that ends between its file being opened and read", () => {
  const { readTextFileSync } = Deno;
  Deno.readTextFileSync = (path) => {
    throw new Error(`No such process (os error 3): readfile '${path}'`);
  };
  try {
    using _governor = new CpuGovernor(Deno.pid, 50, () => true);
  } finally {
    Deno.readTextFileSync = readTextFileSync;
  }
});

Deno.test("CpuGovernor lets a process go on that it stopped when it ends", async () => {
  const child = new Deno.Command("/bin/sh", { args: ["-c", "while :; do :; done"] }).spawn();
  const governor = new CpuGovernor(child.pid, 1, () => true);
  await eventually("it is stopped", () => stat(child.pid).state === "T");
  governor[Symbol.dispose]();
  await eventually("it goes on", () => stat(child.pid).state !== "T");
  child.kill("SIGKILL");
  await child.status;
});

Deno.test("limits.cpuPercent is what keeps a spinning guest down: without it the guest gets more", async () => {
  await using harness = await SandboxHarness.open(SPINNING_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const pid = (await guest.guestPid)!;
  const shares = async () => {
    const [startMs, start] = [performance.now(), stat(pid).cpuMs];
    await eventually("some time has passed", () => performance.now() - startMs > 200);
    return (stat(pid).cpuMs - start) / (performance.now() - startMs);
  };
  let most = 0;
  for (let tries = 0; tries < 100 && most < 0.4; tries++) most = Math.max(most, await shares());
  ok(most >= 0.4, `it had at most ${Math.round(most * 100)} %`);
});
