import { deepEqual, equal, ok } from "node:assert/strict";
import { sweepStale } from "../../src/launcher/sweep_stale.ts";
import { eventually, pidsWith } from "./processes.ts";
import { ECHO_GUEST } from "./sandbox_harness.ts";

/** A host is killed this many times in each tier, 0 to 50 ms after it has started a guest. */
const TRIALS = { namespaces: 30, landlock: 10, "permissions-only": 10 };

for (const [tier, trials] of Object.entries(TRIALS)) {
  Deno.test(`a host that is killed right after a start in the ${tier} tier leaves nothing`, async () => {
    const runtimeDirectory = await Deno.makeTempDir({ prefix: "cordon-" });
    await Deno.chmod(runtimeDirectory, 0o711);
    let seen = 0;
    for (let trial = 0; trial < trials; trial++) {
      const marker = crypto.randomUUID();
      seen += await killedHost(runtimeDirectory, marker, tier, (50 * trial) / (trials - 1));
      await eventually(`the sandbox of trial ${trial} is gone`, () => pidsWith(marker).length === 0);
    }
    ok(seen > trials / 2, `only ${seen} guests were seen before their hosts were killed`);
    const swept = await sweepStale(await Deno.realPath(runtimeDirectory));
    equal(swept.length, 1, "each new host sweeps what the one before it left");
    deepEqual([...Deno.readDirSync(runtimeDirectory)].map((entry) => entry.name), ["lock"]);
    await Deno.remove(runtimeDirectory, { recursive: true });
  });
}

/** Start a host, wait until it has started its guest, and kill it some time later. */
async function killedHost(
  runtimeDirectory: string,
  marker: string,
  tier: string,
  delayMs: number,
): Promise<number> {
  const script = new URL("fixtures/host_process.ts", import.meta.url).pathname;
  const child = new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      "--no-lock",
      "--no-check",
      script,
      runtimeDirectory,
      marker,
      "piped",
      ECHO_GUEST,
      tier,
    ],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  equal(new TextDecoder().decode(value), "started\n");
  await new Promise((resolve) => setTimeout(resolve, delayMs));
  const seen = pidsWith(`boot.json\0${marker}`).length > 0 ? 1 : 0;
  child.kill("SIGKILL");
  await reader.cancel();
  equal((await child.status).signal, "SIGKILL");
  return seen;
}
