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
    const elapsedMs = () => performance.now() - startMs;
    // A share of all the time since: what it had while nothing watched it, a governor takes back.
    const share = () => (stat(pid).cpuMs - start) / elapsedMs();
    let isStopped = false;
    const wasStopped = () => isStopped ||= stat(pid).state === "T";
    await eventually("it was stopped in a second of which it had its share", () => {
      return wasStopped() && elapsedMs() > 1000 && share() < 0.35;
    });
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

Deno.test("limits.cpuPercent is what stops a spinning guest: without it the guest runs on", async () => {
  await using harness = await SandboxHarness.open(SPINNING_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const pid = (await guest.guestPid)!;
  const states = new Set<string>();
  await eventually("it has had a second of processor time", () => {
    const { cpuMs, state } = stat(pid);
    states.add(state);
    return cpuMs > 1000;
  });
  ok(!states.has("T"), `its states were ${[...states]}`);
});
