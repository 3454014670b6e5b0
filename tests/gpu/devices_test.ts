/** Several devices, the order of their work, and what does not fit together. */

import assert from "node:assert/strict";
import type { Cuda, CudaStream, CudaTensor } from "../../src/tensor/cuda/mod.ts";
import { localCuda, SCALE } from "./local_cuda.ts";
import { type StandInOptions, standInTest } from "./stand_in.ts";

async function withCuda(body: (cuda: Cuda) => Promise<void>, options: StandInOptions = {}): Promise<void> {
  using host = await localCuda(options);
  await body(host.cuda);
}

async function filled(cuda: Cuda, value: number, device = 0): Promise<CudaTensor> {
  const tensor = cuda.tensor([4], "float32", { device });
  await tensor.copyFrom(new Float32Array(4).fill(value));
  return tensor;
}

async function floats(tensor: CudaTensor): Promise<number[]> {
  using host = await tensor.copyToHost();
  return [...host.data as Float32Array];
}

function scale(cuda: Cuda, tensor: CudaTensor, factor: number, stream?: CudaStream): void {
  // Unloading would wait for the work; it ends with the test.
  const program = cuda.module(SCALE, { device: stream?.device ?? 0 });
  const args = [tensor, { f32: factor }, { u32: tensor.size }];
  cuda.launch(program.kernel("scale"), 1, 32, args, stream === undefined ? {} : { stream });
}

Deno.test(
  standInTest("work on a stream is not done before somebody waits for it (positive control)"),
  () =>
    withCuda(async (cuda) => {
      using tensor = await filled(cuda, 1);
      using stream = cuda.stream();
      scale(cuda, tensor, 2, stream);
      using mark = stream.record();
      assert.deepEqual(
        await floats(tensor),
        [1, 1, 1, 1],
        "the default stream does not wait for another one",
      );
      assert.equal(mark.isDone, false);
      await stream.synchronize();
      assert.equal(mark.isDone, true);
      assert.deepEqual(await floats(tensor), [2, 2, 2, 2]);
    }),
);

Deno.test(
  standInTest("CudaStream.wait() puts work behind that before a mark of another stream"),
  () =>
    withCuda(async (cuda) => {
      using tensor = await filled(cuda, 1);
      using source = await filled(cuda, 7);
      using first = cuda.stream();
      using second = cuda.stream();
      scale(cuda, source, 3, first);
      using mark = first.record();
      second.wait(mark);
      await tensor.copyFrom(source, second);
      await second.synchronize();
      assert.deepEqual(await floats(tensor), [21, 21, 21, 21]);
    }),
);

Deno.test(
  standInTest("CudaEvent.synchronize() waits for what is before it, since() measures between two"),
  () =>
    withCuda(async (cuda) => {
      using tensor = await filled(cuda, 1);
      using stream = cuda.stream();
      using start = stream.record();
      scale(cuda, tensor, 5, stream);
      using end = stream.record();
      assert.throws(() => end.since(start), { name: "CudaError", result: "CUDA_ERROR_NOT_READY" });
      await end.synchronize();
      assert.ok(end.since(start) >= 0);
      assert.deepEqual(await floats(tensor), [5, 5, 5, 5]);
    }),
);

Deno.test(
  standInTest("memory is not taken away before the work that uses it is done"),
  () =>
    withCuda(async (cuda) => {
      using stream = cuda.stream();
      const tensor = await filled(cuda, 1);
      scale(cuda, tensor, 2, stream);
      tensor.dispose();
      await stream.synchronize();
      await cuda.synchronize();
    }),
);

Deno.test(standInTest("tensors of two devices are copied to each other"), () =>
  withCuda(async (cuda) => {
    assert.equal(cuda.devices.length, 2);
    using here = await filled(cuda, 3, 0);
    using there = cuda.tensor([4], "float32", { device: 1 });
    assert.deepEqual([here.device, there.device], ["cuda:0", "cuda:1"]);
    await there.copyFrom(here);
    assert.deepEqual(await floats(there), [3, 3, 3, 3]);
    using clone = there.clone();
    assert.equal(clone.device, "cuda:1");
    const before = cuda.memory(1).free;
    using more = cuda.tensor([1 << 20], "float32", { device: 1 });
    assert.equal(before - cuda.memory(1).free, more.byteLength);
  }));

Deno.test(
  standInTest("a kernel of one device and a tensor of another one need enablePeer()"),
  () =>
    withCuda(async (cuda) => {
      using there = await filled(cuda, 3, 1);
      assert.throws(() => scale(cuda, there, 2), {
        name: "CudaError",
        result: "CUDA_ERROR_INVALID_DEVICE",
        message: 'Cannot start a kernel on "cuda:0" as a tensor is on "cuda:1"',
        hint: "Call enablePeer(0, 1), or copy it with copyFrom() to a tensor of device 0",
      });
      cuda.enablePeer(0, 1);
      cuda.enablePeer(0, 1);
      scale(cuda, there, 2);
      await cuda.synchronize(0);
      assert.deepEqual(await floats(there), [6, 6, 6, 6]);
      using here = await filled(cuda, 1, 0);
      using other = cuda.stream(1);
      assert.throws(
        () => scale(cuda, here, 2, other),
        { result: "CUDA_ERROR_INVALID_DEVICE" },
        "one way only",
      );
    }),
);

Deno.test(
  standInTest("devices that do not reach each other are an error with the driver's name, and copies work"),
  () =>
    withCuda(async (cuda) => {
      assert.throws(() => cuda.enablePeer(0, 1), {
        name: "CudaError",
        result: "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED",
        hint: /copyFrom\(\)/,
      });
      using here = await filled(cuda, 2, 0);
      using there = cuda.tensor([4], "float32", { device: 1 });
      await there.copyFrom(here);
      assert.deepEqual(await floats(there), [2, 2, 2, 2]);
    }, { peers: false }),
);

Deno.test(
  standInTest("a stream of another device and a device that is not there are errors"),
  () =>
    withCuda(async (cuda) => {
      using tensor = await filled(cuda, 1);
      using program = cuda.module(SCALE);
      using stream = cuda.stream(1);
      const args = [tensor, { f32: 2 }, { u32: 4 }] as const;
      assert.throws(() => cuda.launch(program.kernel("scale"), 1, 1, args, { stream }), {
        name: "CudaError",
        message: 'Cannot start a kernel on "cuda:0" as its stream is on "cuda:1"',
      });
      assert.throws(() => cuda.tensor([4], "float32", { device: 2 }), {
        result: "CUDA_ERROR_INVALID_DEVICE",
        message: "Cannot use device 2 as there are 2 devices",
      });
    }),
);
