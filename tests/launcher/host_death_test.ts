import { deepEqual, equal } from "node:assert/strict";
import { eventually, pidsWith } from "./processes.ts";
import { ECHO_GUEST } from "./sandbox_harness.ts";

/** A host is killed this many times in each tier, 0 to 50 ms after it has started a guest. */
const TRIALS = { namespaces: 100, landlock: 10, "permissions-only": 10 };

for (const [tier, trials] of Object.entries(TRIALS)) {
  Deno.test(`a host that is killed right after a start in the ${tier} tier leaves no process, without any sweep`, async () => {
    const markers = Array.from({ length: trials }, () => crypto.randomUUID());
    for (const [trial, marker] of markers.entries()) {
      // A directory of its own, so that no host sweeps what another one left.
      const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
      await Deno.chmod(runtimeDirectory, 0o711);
      const delayMs = (50 * trial) / (trials - 1);
      await killedHost([runtimeDirectory, marker, "piped", ECHO_GUEST, tier], async () => {
        await new Promise((resolve) => setTimeout(resolve, delayMs));
        // The last one shows that there is something to be left behind.
        if (trial === trials - 1) {
          await eventually("the guest runs", () => pidsWith(`boot.json\0${marker}`).length > 0);
        }
      });
      await eventually(`the guest of trial ${trial} is gone`, () => pidsWith(marker).length === 0);
      await Deno.remove(runtimeDirectory, { recursive: true });
    }
    deepEqual(markers.filter((marker) => pidsWith(marker).length > 0), []);
  });
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
