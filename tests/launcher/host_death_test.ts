import { deepEqual, equal } from "node:assert/strict";
import { sweepStale } from "../../src/launcher/sweep_stale.ts";
import { eventually, pidsWith, readProc } from "./processes.ts";
import { ECHO_GUEST } from "./sandbox_harness.ts";

/** A host is killed this many times in each tier, 0 to 50 ms after it has started a guest. */
const TRIALS = { namespaces: 30, landlock: 10, "permissions-only": 10 };

for (const [tier, trials] of Object.entries(TRIALS)) {
  Deno.test(`a host that is killed right after a start in the ${tier} tier leaves no guest, and the next sweep nothing`, async () => {
    const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
    await Deno.chmod(runtimeDirectory, 0o711);
    const markers = Array.from({ length: trials }, () => crypto.randomUUID());
    for (const [trial, marker] of markers.entries()) {
      const delayMs = (50 * trial) / (trials - 1);
      await killedHost([runtimeDirectory, marker, "piped", ECHO_GUEST, tier], async () => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        // The last one shows that there is something to be left behind.
        if (trial === trials - 1) {
          await eventually("the guest runs", () => pidsWith(`boot.json\0${marker}`).length > 0);
        }
      });
      await eventually(`the guest of trial ${trial} is gone`, () => pidsWith(marker).every(isBwrap));
    }
    const swept = await sweepStale(await Deno.realPath(runtimeDirectory));
    equal(swept.length, 1, "each new host sweeps what the one before it left");
    await eventually("no process is left", () => markers.every((marker) => pidsWith(marker).length === 0));
    deepEqual([...Deno.readDirSync(runtimeDirectory)].map((entry) => entry.name), ["lock"]);
    await Deno.remove(runtimeDirectory, { recursive: true });
  });
}

/** Bubblewrap that has not become a guest: killed at a bad moment, it waits for ever and has to be swept. */
function isBwrap(pid: number): boolean {
  return readProc(pid, "comm") === "bwrap\n" || readProc(pid, "comm") === null;
}

/** Start a host, wait until it has started its guest and until `moment` has come, and kill it. */
async function killedHost(args: string[], moment: () => Promise<void>): Promise<void> {
  const script = new URL("fixtures/host_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-lock", "--no-check", script, ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  equal(new TextDecoder().decode(value), "started\n");
  await moment();
  child.kill("SIGKILL");
  await reader.cancel();
  equal((await child.status).signal, "SIGKILL");
}
