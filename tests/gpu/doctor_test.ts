/** What `cordon doctor` says of GPUs, over stand-ins that can do more or less. */

import assert from "node:assert/strict";
import { proveGpu } from "../../src/supervisor/prove_gpu.ts";
import { cordon } from "../cli/cordon.ts";
import { GPU_SKIP } from "./hardware.ts";
import { standIn, type StandInOptions, standInTest, variables } from "./stand_in.ts";

const DRIVER = "CORDON_TEST_CUDA_LIBRARY";

async function withDriver<T>(options: StandInOptions, body: () => Promise<T>): Promise<T> {
  using _named = variables({ [DRIVER]: await standIn(options) });
  return await body();
}

const MACHINES: readonly (readonly [claim: string, StandInOptions, rows: readonly string[]])[] = [
  ["names devices and the way without a copy", {}, [
    "ok gpu-0 cuda:0 is a Stand-in 0 with 1 GiB",
    "ok gpu-1 cuda:1 is a Stand-in 1 with 1 GiB",
    "ok gpu-sharing Device memory is shared with plugins without a copy, by descriptor",
  ]],
  ["says when a driver exports nothing", { devices: 1, posixFd: false }, [
    "ok gpu-0 cuda:0 is a Stand-in 0 with 1 GiB",
    "warn gpu-sharing Tensors on a device travel to plugins through host memory",
  ]],
  ["says when a plugin can import nothing", { devices: 1, imports: false }, [
    "ok gpu-0 cuda:0 is a Stand-in 0 with 1 GiB",
    "warn gpu-sharing Tensors on a device travel to plugins through host memory",
  ]],
  ["names the driver's reason not to start", { devices: 0 }, [
    "warn gpu-driver The graphics driver cannot be used: CUDA_ERROR_NO_DEVICE",
  ]],
];

for (const [claim, options, rows] of MACHINES) {
  Deno.test(standInTest(`proveGpu() ${claim}`), () =>
    withDriver(options, async () => {
      const findings = await proveGpu();
      assert.deepEqual(findings.map(({ level, id, summary }) => `${level} ${id} ${summary}`), rows);
    }));
}

async function rows(): Promise<readonly string[]> {
  return JSON.parse((await cordon(["doctor", "--json"])).out).gpu.map(({ id }: { id: string }) => id);
}

Deno.test(standInTest("cordon doctor --json tells of a driver"), async () => {
  assert.deepEqual(await withDriver({}, rows), ["gpu-0", "gpu-1", "gpu-sharing"]);
});

Deno.test({
  name: `cordon doctor --json tells of no GPU without a driver${
    GPU_SKIP === null ? " [skipped: there is one]" : ""
  }`,
  ignore: GPU_SKIP === null,
  async fn() {
    assert.deepEqual(await rows(), []);
  },
});
