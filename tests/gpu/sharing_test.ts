/** What the two sides of a real sandbox see of each other's work, and what people are told; with the stand-in. */

import assert from "node:assert/strict";
import type { CudaTensor } from "../../src/tensor/cuda/mod.ts";
import type { HostOptions } from "../../src/config/types.ts";
import { testHost } from "../testing/fixtures.ts";
import { SCALE } from "./local_cuda.ts";
import { standIn, type StandInOptions, standInTest, variables } from "./stand_in.ts";

interface Api {
  start(tensor: CudaTensor, factor: number): CudaTensor;
  sum(tensor: CudaTensor): Promise<number>;
  again(tensor: CudaTensor): CudaTensor;
  memory(tensor: CudaTensor): string;
  names(): string[];
  crash(): void;
}

/** Work is started on a stream of its own and not waited for. */
const PLUGIN = `
  import { cuda } from "@cordon/cordon/plugin";
  const PTX = ${JSON.stringify(SCALE)};
  const kept = [];
  export async function start(count, factor) {
    const tensor = cuda().tensor([count]);
    await tensor.copyFrom(new Float32Array(count).fill(1));
    const stream = cuda().stream();
    const program = cuda().module(PTX);
    kept.push(stream, program, tensor);
    cuda().launch(program.kernel("scale"), 1, count, [tensor, { f32: factor }, { u32: count }], { stream });
    return tensor;
  }
  export async function sum(tensor) {
    using host = await tensor.copyToHost();
    return host.data.reduce((sum, value) => sum + value, 0);
  }
  export const again = (tensor) => tensor;
  export const memory = (tensor) => { kept.push(tensor); return tensor.status.memory; };
  export const names = () => cuda().devices.map(({ name }) => name);
  export const crash = () => Deno.exit(3);
`;

type RemoteApi = { [K in keyof Api]: (...args: never[]) => Promise<Awaited<ReturnType<Api[K]>>> };

interface Trial extends AsyncDisposable {
  readonly cuda: Awaited<ReturnType<Awaited<ReturnType<typeof testHost>>["host"]["cuda"]>>;
  readonly api: { [K in keyof RemoteApi]: (...args: readonly unknown[]) => ReturnType<RemoteApi[K]> };
}

const DRIVER = "CORDON_TEST_CUDA_LIBRARY";

async function trial(
  options: HostOptions,
  driver: StandInOptions = {},
  environment: Readonly<Record<string, string>> = {},
): Promise<Trial> {
  await using cleanup = new AsyncDisposableStack();
  cleanup.use(variables({ [DRIVER]: await standIn(driver), ...environment }));
  const test = cleanup.use(await testHost(options));
  const plugin = cleanup.use(await test.host.load(await test.plugin(PLUGIN), { gpu: true }));
  const cuda = await test.host.cuda();
  const resources = cleanup.move();
  return {
    cuda,
    api: plugin.api as unknown as Trial["api"],
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  };
}

async function floats(tensor: CudaTensor): Promise<number[]> {
  using host = await tensor.copyToHost();
  return [...host.data as Float32Array];
}

for (
  const [how, options, driver] of [
    ["by descriptor", { cuda: { ipc: true } }, {}],
    ["through host memory", { cuda: { ipc: false } }, {}],
    ["by handle", { cuda: { ipc: true }, sandbox: "permissions-only" }, { posixFd: false }],
  ] as const
) {
  Deno.test(
    standInTest(`the receiver of a tensor sees what was started before it was sent, ${how}`),
    async () => {
      await using test = await trial(options, driver);
      const { cuda, api } = test;
      using tensor = cuda.tensor([8]);
      await tensor.copyFrom(new Float32Array(8).fill(1));
      using stream = cuda.stream();
      using program = cuda.module(SCALE);
      const args = [tensor, { f32: 3 }, { u32: 8 }] as const;
      cuda.launch(program.kernel("scale"), 1, 8, args, { stream });
      assert.equal(await api.sum(tensor), 24, "towards the plugin");
      using made = await api.start(8, 5);
      assert.deepEqual(await floats(made), Array(8).fill(5), "from the plugin");
      using part = tensor.slice(0, 2);
      cuda.launch(program.kernel("scale"), 1, 8, args, { stream });
      assert.equal(await api.sum(part), 18, "a part, which is copied");
    },
  );
}

Deno.test(
  standInTest("a plugin that shares the pid namespace gets handles where there are no descriptors"),
  async () => {
    await using test = await trial(
      { cuda: { ipc: true }, sandbox: "permissions-only" },
      { posixFd: false },
    );
    const { cuda, api } = test;
    const before = cuda.memory().free;
    const tensor = cuda.tensor([4]);
    await tensor.copyFrom(new Float32Array([1, 2, 3, 4]));
    assert.equal(await api.memory(tensor), "handle");
    assert.equal(await api.sum(tensor), 10);
    tensor.dispose();
    assert.ok(cuda.memory().free < before, "the plugin holds it");
    await assert.rejects(api.crash(), { name: "PluginCrashedError" });
    for (const end = Date.now() + 10_000; cuda.memory().free < before && Date.now() < end;) await turn();
    assert.equal(cuda.memory().free, before);
  },
);

Deno.test(standInTest("host and plugin see the devices that the host's variables show"), async () => {
  await using test = await trial({ cuda: { ipc: true } }, { peers: false }, { CUDA_VISIBLE_DEVICES: "1" });
  const { cuda, api } = test;
  assert.deepEqual(cuda.devices.map(({ name }) => name), ["Stand-in 1"]);
  assert.deepEqual(await api.names(), ["Stand-in 1"]);
  using tensor = cuda.tensor([4]);
  assert.equal(await api.memory(tensor), "descriptor");
});

Deno.test(standInTest("tensors of a second device are shared and come back as such"), async () => {
  await using test = await trial({ cuda: { ipc: true } });
  const { cuda, api } = test;
  using tensor = cuda.tensor([4], "float32", { device: 1 });
  await tensor.copyFrom(new Float32Array([1, 2, 3, 4]));
  assert.equal(await api.sum(tensor), 10);
  using back = await api.again(tensor);
  assert.deepEqual([back.device, await floats(back)], ["cuda:1", [1, 2, 3, 4]]);
});

for (
  const [what, driver, reason] of [
    ["a driver that exports no descriptors", { posixFd: false }, /its driver exports no descriptors/],
    ["a plugin whose driver imports none", { imports: false }, /"plugin1" cannot map memory of this GPU$/],
  ] as const
) {
  Deno.test(standInTest(`${what} is an error for the call where copies are not wanted`), async () => {
    await using test = await trial({ cuda: { ipc: true, fallback: "error" } }, driver);
    const { cuda, api } = test;
    using tensor = cuda.tensor([4]);
    await assert.rejects(api.sum(tensor), (error: Error & { readonly result?: string }) => {
      assert.deepEqual([error.name, error.result], ["CudaError", "CUDA_ERROR_NOT_SUPPORTED"]);
      assert.match(error.message, reason);
      return true;
    });
    assert.deepEqual(await floats(tensor), [0, 0, 0, 0]);
  });
}

for (const [value, memory] of [["1", "descriptor"], ["0", "own"]] as const) {
  Deno.test(
    standInTest(`CORDON_ENABLE_CUDA_IPC=${value} decides where the options say nothing`),
    async () => {
      await using test = await trial({}, {}, { CORDON_ENABLE_CUDA_IPC: value });
      using tensor = test.cuda.tensor([4]);
      assert.equal(await test.api.memory(tensor), memory);
    },
  );
}

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
