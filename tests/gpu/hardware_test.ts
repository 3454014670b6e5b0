/** Tensors between a host and sandboxed plugins on a real GPU, and with a PyTorch process. */

import assert from "node:assert/strict";
import { testHost } from "../testing/fixtures.ts";
import { GPU_PLUGIN, GPU_SKIP, type GpuApi, gpuHostOptions, gpuTest } from "./hardware.ts";
import { hasTorch, TorchPeer } from "./torch_peer.ts";

const TORCH_SKIP = GPU_SKIP ?? (hasTorch() ? null : "no PyTorch that sees the GPU");

Deno.test(gpuTest("a plugin computes on the host's memory of the GPU without a copy"), async () => {
  await using test = await testHost(gpuHostOptions(true));
  await using plugin = await test.host.load<GpuApi>(await test.plugin(GPU_PLUGIN), { gpu: true });
  const cuda = await test.host.cuda();
  using tensor = cuda.tensor([1 << 20]);
  await tensor.copyFrom(new Float32Array(1 << 20).fill(3));
  assert.equal(await plugin.api.scale(tensor, 2), "descriptor");
  using result = await tensor.copyToHost();
  assert.ok((result.data as Float32Array).every((value) => value === 6));
});

Deno.test(gpuTest("a tensor that a plugin made on the GPU is the same memory for the host"), async () => {
  await using test = await testHost(gpuHostOptions(true));
  await using plugin = await test.host.load<GpuApi>(await test.plugin(GPU_PLUGIN), { gpu: true });
  using tensor = await plugin.api.make(1 << 20, 5);
  assert.deepEqual(tensor.status, { memory: "own", isReceived: true });
  using result = await tensor.copyToHost();
  assert.equal((result.data as Float32Array)[1 << 19], 5);
});

Deno.test(gpuTest("tensors on the GPU travel through host memory when that is asked for"), async () => {
  await using test = await testHost(gpuHostOptions(false));
  await using plugin = await test.host.load<GpuApi>(await test.plugin(GPU_PLUGIN), { gpu: true });
  const cuda = await test.host.cuda();
  using tensor = cuda.tensor([1024]);
  assert.equal(await plugin.api.touch(tensor), "own");
});

Deno.test(gpuTest("a thousand hand-overs leave no memory of the GPU behind"), async () => {
  await using test = await testHost(gpuHostOptions(true));
  await using plugin = await test.host.load<GpuApi>(await test.plugin(GPU_PLUGIN), { gpu: true });
  const cuda = await test.host.cuda();
  using tensor = cuda.tensor([1 << 20]);
  for (let round = 0; round < 10; round++) await plugin.api.touch(tensor);
  const before = cuda.memory().free;
  for (let round = 0; round < 1000; round++) await plugin.api.touch(tensor);
  assert.ok(before - cuda.memory().free < 64 * 2 ** 20, `${before - cuda.memory().free} bytes are gone`);
});

Deno.test({
  name: `a plugin computes on what a PyTorch process exported, and PyTorch reads the result${
    TORCH_SKIP === null ? "" : ` [skipped: ${TORCH_SKIP}]`
  }`,
  ignore: TORCH_SKIP !== null,
  async fn() {
    await using test = await testHost(gpuHostOptions(true));
    await using plugin = await test.host.load<GpuApi>(await test.plugin(GPU_PLUGIN), { gpu: true });
    const cuda = await test.host.cuda();
    await using torch = await TorchPeer.start();
    const { handle, byteOffset, count } = await torch.ask<
      { handle: string; byteOffset: number; count: number }
    >({ do: "export", count: 4096 });
    using tensor = cuda.importHandle(Uint8Array.fromHex(handle), { shape: [count], byteOffset });
    assert.equal(await plugin.api.scale(tensor, 2), "descriptor");
    const exported = cuda.exportHandle(tensor);
    const { isDoubled } = await torch.ask<{ isDoubled: boolean }>({
      do: "check",
      handle: exported.handle.toHex(),
      count,
    });
    exported.tensor.dispose();
    assert.equal(isDoubled, true);
  },
});
