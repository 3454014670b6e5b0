/** Tensors on a device through a real sandbox, with a stand-in for the driver. */

import assert from "node:assert/strict";
import type { CudaTensor } from "../../src/tensor/cuda/mod.ts";
import type { CudaOptions } from "../../src/config/types.ts";
import { testHost } from "../testing/fixtures.ts";
import { standIn, type StandInOptions, standInTest, variables } from "./stand_in.ts";

interface Api {
  scale(tensor: CudaTensor, factor: number): Promise<string>;
  make(rows: number): CudaTensor;
  back(tensor: CudaTensor): CudaTensor;
  sum(tensor: CudaTensor): Promise<number>;
  memory(tensor: CudaTensor): string;
  keep(tensor: CudaTensor): void;
  fault(tensor: CudaTensor): Promise<void>;
  crash(): void;
}

const PLUGIN = `
  import { cuda } from "@cordon/cordon/plugin";
  const PTX = ".version 7.0\\n.target sm_52\\n.visible .entry scale(.param .u64 v, .param .f32 f, .param .u32 n) {}";
  const kept = [];
  export async function scale(tensor, factor) {
    const program = cuda().module(PTX);
    cuda().launch(program.kernel("scale"), Math.ceil(tensor.size / 256), 256, [tensor, { f32: factor }, { u32: tensor.size }]);
    await cuda().synchronize();
    const { memory } = tensor.status;
    program[Symbol.dispose]();
    tensor.dispose();
    return memory;
  }
  export async function make(rows) {
    const tensor = cuda().tensor([rows, 4], "float32");
    await tensor.copyFrom(Float32Array.from({ length: rows * 4 }, (_, index) => index));
    return tensor;
  }
  export function back(tensor) { return tensor; }
  export async function sum(tensor) {
    const host = await tensor.copyToHost();
    return host.data.reduce((sum, value) => sum + value, 0);
  }
  export function memory(tensor) { return tensor.status.memory; }
  export function keep(tensor) { kept.push(tensor); }
  export async function fault(tensor) {
    const program = cuda().module(PTX);
    cuda().launch(program.kernel("scale"), 1, 1, [{ u64: 1n }, { f32: 1 }, { u32: 4 }]);
    await cuda().synchronize();
  }
  export function crash() { Deno.exit(3); }
`;

const DRIVER = "CORDON_TEST_CUDA_LIBRARY";

interface Trial extends AsyncDisposable {
  readonly test: Awaited<ReturnType<typeof testHost>>;
  load(
    gpu?: boolean,
  ): Promise<Awaited<ReturnType<Trial["test"]["host"]["load"]>> & { readonly api: RemoteApi }>;
}

type RemoteApi = { [K in keyof Api]: (...args: Parameters<Api[K]>) => Promise<Awaited<ReturnType<Api[K]>>> };

async function trial(cuda: CudaOptions, options: StandInOptions = {}): Promise<Trial> {
  using _named = variables({ [DRIVER]: await standIn(options) });
  const test = await testHost({ cuda });
  const entry = await test.plugin(PLUGIN);
  return {
    test,
    load: async (gpu = true) => await test.host.load(entry, { gpu }) as unknown as ReturnType<Trial["load"]>,
    [Symbol.asyncDispose]: () => test[Symbol.asyncDispose](),
  };
}

async function floats(tensor: CudaTensor): Promise<number[]> {
  using host = await tensor.copyToHost();
  return [...host.data as Float32Array];
}

Deno.test(standInTest("a plugin computes on the host's own memory of a device"), async () => {
  await using hosted = await trial({ ipc: true });
  await using plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  using tensor = cuda.tensor([2, 2]);
  await tensor.copyFrom(new Float32Array([1, 2, 3, 4]));
  assert.equal(await plugin.api.scale(tensor, 2), "descriptor");
  assert.deepEqual(await floats(tensor), [2, 4, 6, 8]);
});

Deno.test(
  standInTest("a tensor that a plugin made on a device is the same memory for the host"),
  async () => {
    await using hosted = await trial({ ipc: true });
    await using plugin = await hosted.load();
    using tensor = await plugin.api.make(3);
    assert.deepEqual(tensor.status, { memory: "own", isReceived: true });
    assert.deepEqual(await floats(tensor), Array.from({ length: 12 }, (_, index) => index));
    await plugin.stop();
    assert.equal((await floats(tensor))[11], 11, "it outlives the plugin");
  },
);

Deno.test(standInTest("a tensor that a plugin received and returns is a copy"), async () => {
  await using hosted = await trial({ ipc: true });
  await using plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  using tensor = cuda.tensor([4]);
  await tensor.copyFrom(new Float32Array([5, 6, 7, 8]));
  using copy = await plugin.api.back(tensor);
  await tensor.copyFrom(new Float32Array(4));
  assert.deepEqual(await floats(copy), [5, 6, 7, 8]);
});

Deno.test(standInTest("a part of a tensor is sent without the rest"), async () => {
  await using hosted = await trial({ ipc: true });
  await using plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  using tensor = cuda.tensor([4, 2]);
  await tensor.copyFrom(new Float32Array([1, 2, 3, 4, 5, 6, 7, 8]));
  using part = tensor.slice(1, 3);
  assert.equal(await plugin.api.sum(part), 3 + 4 + 5 + 6);
  await plugin.api.scale(part, 10);
  assert.deepEqual(await floats(tensor), [1, 2, 3, 4, 5, 6, 7, 8]);
});

for (
  const [why, options, standInOptions] of [
    ["memory is not to be shared", { ipc: false }, {}],
    ["the driver exports no descriptors", { ipc: true }, { posixFd: false }],
    ["the plugin's driver imports no descriptors", { ipc: true }, { imports: false }],
  ] as const
) {
  Deno.test(standInTest(`tensors travel through host memory with the same results as ${why}`), async () => {
    await using hosted = await trial(options, standInOptions);
    await using plugin = await hosted.load();
    const cuda = await hosted.test.host.cuda();
    using tensor = cuda.tensor([4]);
    await tensor.copyFrom(new Float32Array([1, 2, 3, 4]));
    assert.equal(await plugin.api.memory(tensor), "own");
    assert.equal(await plugin.api.sum(tensor), 10);
    using made = await plugin.api.make(1);
    assert.deepEqual(await floats(made), [0, 1, 2, 3]);
    using large = cuda.tensor([1 << 20]);
    assert.equal(await plugin.api.sum(large), 0);
  });
}

Deno.test(standInTest("tensors are kept in host memory without a device, on both sides"), async () => {
  await using hosted = await trial({ ipc: true }, { devices: 0 });
  await using plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  assert.equal(cuda.kind, "host-memory");
  using tensor = cuda.tensor([4]);
  await tensor.copyFrom(new Float32Array([1, 2, 3, 4]));
  assert.equal(await plugin.api.memory(tensor), "host-memory");
  assert.equal(await plugin.api.sum(tensor), 10);
  assert.throws(() => cuda.module("x"), { name: "CudaError", result: "CUDA_ERROR_NO_DEVICE" });
});

Deno.test(standInTest("no device is an error where the host wants that"), async () => {
  await using hosted = await trial({ fallback: "error" }, { devices: 0 });
  await assert.rejects(hosted.test.host.cuda(), { name: "CudaError", result: "CUDA_ERROR_NO_DEVICE" });
});

Deno.test(standInTest("a plugin without a GPU gets neither tensors of one nor cuda()"), async () => {
  await using hosted = await trial({ ipc: true });
  const cuda = await hosted.test.host.cuda();
  await using plugin = await hosted.load(false);
  using tensor = cuda.tensor([4]);
  await assert.rejects(plugin.api.sum(tensor), { name: "PermissionDeniedError", suggestion: "gpu: true" });
  await assert.rejects(plugin.api.make(1), /was not granted one/);
});

Deno.test(
  standInTest("a fault on a device is the plugin's alone, with the driver's name for it"),
  async () => {
    await using hosted = await trial({ ipc: true });
    await using plugin = await hosted.load();
    const cuda = await hosted.test.host.cuda();
    using tensor = cuda.tensor([4]);
    await assert.rejects(plugin.api.fault(tensor), /CUDA_ERROR_ILLEGAL_ADDRESS/);
    assert.deepEqual(await floats(tensor), [0, 0, 0, 0]);
  },
);

Deno.test(standInTest("memory that a plugin held comes back when it dies"), async () => {
  await using hosted = await trial({ ipc: true });
  const plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  using first = cuda.tensor([4]);
  // The first one ends the trial of the start, whose memory is counted until then.
  await plugin.api.scale(first, 1);
  const before = cuda.memory().free;
  const tensor = cuda.tensor([1 << 20]);
  await plugin.api.keep(tensor);
  tensor.dispose();
  using made = await plugin.api.make(1 << 10);
  assert.ok(cuda.memory().free < before, "both are held");
  await assert.rejects(plugin.api.crash(), { name: "PluginCrashedError" });
  await plugin.stop();
  made.dispose();
  assert.equal(cuda.memory().free, before);
});

Deno.test(standInTest("a thousand hand-overs leave nothing behind"), async () => {
  await using hosted = await trial({ ipc: true });
  await using plugin = await hosted.load();
  const cuda = await hosted.test.host.cuda();
  using tensor = cuda.tensor([4]);
  // The first one ends the trial of the start, whose memory is counted until then.
  await plugin.api.scale(tensor, 1);
  const before = cuda.memory().free;
  const descriptors = [...Deno.readDirSync("/proc/self/fd")].length;
  for (let round = 0; round < 1000; round++) await plugin.api.scale(tensor, 1);
  const deadline = Date.now() + 10_000;
  while ([...Deno.readDirSync("/proc/self/fd")].length > descriptors + 1 && Date.now() < deadline) {
    await plugin.api.scale(tensor, 1);
  }
  assert.ok([...Deno.readDirSync("/proc/self/fd")].length <= descriptors + 1);
  assert.equal(cuda.memory().free, before);
});
