import { deepEqual, equal, ok } from "node:assert/strict";
import { sweepStale } from "../../src/launcher/sweep_stale.ts";
import { eventually, pidsWith } from "./processes.ts";
import { ECHO_GUEST } from "./sandbox_harness.ts";

const TRIALS = 30;

Deno.test("a host that is killed right after a start leaves no process and no directory", async () => {
  const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
  for (let trial = 0; trial < TRIALS; trial++) {
    const marker = crypto.randomUUID();
    const seen = await killedHost(runtimeDirectory, marker, (50 * trial) / (TRIALS - 1));
    ok(seen > 0, "there was no sandbox before the host was killed");
    await eventually(`the sandbox of trial ${trial} is gone`, () => pidsWith(marker).length === 0);
  }
  const swept = await sweepStale(await Deno.realPath(runtimeDirectory));
  equal(swept.length, 1, "each new host sweeps what the one before it left");
  deepEqual([...Deno.readDirSync(runtimeDirectory)].map((entry) => entry.name), ["lock"]);
  await Deno.remove(runtimeDirectory, { recursive: true });
});

/** Start a host, wait until it has started its guest, and kill it some time later. */
async function killedHost(runtimeDirectory: string, marker: string, delayMs: number): Promise<number> {
  const script = new URL("fixtures/host_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", script, runtimeDirectory, marker, "piped", ECHO_GUEST],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  equal(new TextDecoder().decode(value), "started\n");
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const seen = pidsWith(`guest.js\0/run/cordon/boot.json\0${marker}`).length;
  child.kill("SIGKILL");
  await reader.cancel();
  equal((await child.status).signal, "SIGKILL");
  return seen;
}
