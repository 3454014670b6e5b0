/**
 * The programs that are for a machine with a GPU, run once to the last line without one: PyTorch is played by
 * fake_torch, the driver by the stand-in. Nothing of this says that they work on hardware.
 */

import assert from "node:assert/strict";
import { localCuda } from "./local_cuda.ts";
import { STAND_IN_SKIP, standIn } from "./stand_in.ts";
import { hasTorch, TorchPeer } from "./torch_peer.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const FAKE_TORCH = decodeURIComponent(new URL("fake_torch", import.meta.url).pathname);

const skip = STAND_IN_SKIP ?? (await hasPython() ? null : "no python3");

function peerTest(claim: string, body: (env: Readonly<Record<string, string>>) => Promise<void>): void {
  Deno.test({
    name: skip === null ? claim : `${claim} [skipped: ${skip}]`,
    ignore: skip !== null,
    async fn() {
      const driver = await standIn();
      await body({
        PYTHONPATH: FAKE_TORCH,
        LD_LIBRARY_PATH: driver.slice(0, driver.lastIndexOf("/")),
        PYTHONDONTWRITEBYTECODE: "1",
        CORDON_TEST_CUDA_LIBRARY: driver,
        NO_COLOR: "1",
      });
    },
  });
}

peerTest(
  "torch_peer.py exports to Cordon and reads what Cordon exports, and the numbers are right",
  async (env) => {
    assert.equal(hasTorch(env), true);
    using host = await localCuda();
    await using torch = await TorchPeer.start(env);
    const { handle, byteOffset, count } = await torch.ask<
      { handle: string; byteOffset: number; count: number }
    >({
      do: "export",
      count: 1000,
    });
    using tensor = host.cuda.importHandle(Uint8Array.fromHex(handle), { shape: [count], byteOffset });
    using seen = await tensor.copyToHost();
    assert.deepEqual([...seen.data as Float32Array], Array.from({ length: 1000 }, (_, index) => index));
    for (const [factor, isDoubled] of [[1, false], [2, true]] as const) {
      await tensor.copyFrom(Float32Array.from(seen.data as Float32Array, (value) => value * factor));
      const exported = host.cuda.exportHandle(tensor);
      const question = { do: "check", handle: exported.handle.toHex(), count };
      assert.deepEqual(await torch.ask(question), { isDoubled });
      exported.tensor.dispose();
    }
    const { rows } = await torch.ask<{ rows: { bytes: number; us: number }[] }>({
      do: "bench",
      bytes: [4096, 2 ** 20],
      rounds: 3,
    });
    assert.deepEqual(rows.map(({ bytes, us }) => [bytes, us > 0]), [[4096, true], [2 ** 20, true]]);
  },
);

peerTest(
  "the tests for a machine with a GPU pass against the stand-in, PyTorch's among them",
  async (env) => {
    const { code, output } = await run(["test", "-A", "--no-check", "tests/gpu/hardware_test.ts"], env);
    assert.equal(code, 0, output);
    assert.match(output, /\bok \| 5 passed \| 0 failed \(/);
  },
);

peerTest("the benchmark for a machine with a GPU prints its table, and that it is none", async (env) => {
  const { code, output } = await run(["run", "-A", "--no-check", "bench/gpu.ts"], env);
  assert.equal(code, 0, output);
  assert.match(output, /^\*\*On the stand-in for the driver: these numbers say nothing of a GPU\.\*\*$/m);
  assert.match(output, /^\| 4096 \| \d+ \| descriptor \| \d+ \| [\d.]+ \| [\d.]+ \|$/m);
  assert.match(output, /^\| 67108864 \| \d+ \| descriptor \| \d+ \| [\d.]+ \| [\d.]+ \|$/m);
  assert.match(output, /^\| 8589934592 \| the device has too little memory \|/m);
});

async function run(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly code: number; readonly output: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
    env,
  }).output();
  return { code, output: [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("") };
}

async function hasPython(): Promise<boolean> {
  try {
    return (await new Deno.Command("python3", { args: ["--version"] }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
