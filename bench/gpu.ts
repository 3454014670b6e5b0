/**
 * Hand-over of tensors on a GPU, and copies, beside PyTorch in the same run. Prints a table; needs a GPU.
 *
 * @module
 */

import { createHost, type CudaTensor } from "../mod.ts";
import { GPU_PLUGIN, GPU_SKIP, type GpuApi, gpuHostOptions, IS_STAND_IN } from "../tests/gpu/hardware.ts";
import { hasTorch, TorchPeer } from "../tests/gpu/torch_peer.ts";

const SIZES: readonly number[] = [4096, 64 * 2 ** 20, 8 * 2 ** 30];
const ROUNDS = 50;

function say(line: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
}

function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

async function main(): Promise<void> {
  if (GPU_SKIP !== null) return say(`skipped: ${GPU_SKIP}`);
  const entry = await Deno.makeTempFile({ suffix: ".ts" });
  await Deno.writeTextFile(entry, GPU_PLUGIN);
  await using host = await createHost(gpuHostOptions(true));
  await using plugin = await host.load<GpuApi>(entry, { gpu: true });
  const cuda = await host.cuda();
  if (IS_STAND_IN) say("**On the stand-in for the driver: these numbers say nothing of a GPU.**\n");
  say(`${cuda.devices[0]?.name}, driver API ${cuda.driverVersion}, ${new Date().toISOString().slice(0, 10)}`);
  const sizes = SIZES.filter((bytes) => bytes < cuda.memory().free / 2.5);
  const torch = await torchRows(sizes);
  say("| bytes | hand-over, µs | how | torch.multiprocessing, µs | to host, GB/s | from host, GB/s |");
  say("| --- | --- | --- | --- | --- | --- |");
  for (const bytes of sizes) {
    using tensor = cuda.tensor([bytes / 4]);
    let how = "";
    const times: number[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const start = performance.now();
      how = await plugin.api.touch(tensor);
      times.push((performance.now() - start) * 1000);
    }
    const copies = bytes > 2 ** 30 ? "– | –" : await copySpeeds(tensor, bytes);
    const theirs = torch.get(bytes)?.toFixed(0) ?? "–";
    say(`| ${bytes} | ${median(times).toFixed(0)} | ${how} | ${theirs} | ${copies} |`);
  }
  for (const bytes of SIZES) {
    if (!sizes.includes(bytes)) say(`| ${bytes} | the device has too little memory | | | | |`);
  }
  await Deno.remove(entry);
}

async function copySpeeds(
  tensor: CudaTensor,
  bytes: number,
): Promise<string> {
  const start = performance.now();
  using host = await tensor.copyToHost();
  const middle = performance.now();
  await tensor.copyFrom(host);
  const speed = (ms: number): string => (bytes / ms / 1e6).toFixed(2);
  return `${speed(middle - start)} | ${speed(performance.now() - middle)}`;
}

async function torchRows(sizes: readonly number[]): Promise<ReadonlyMap<number, number>> {
  if (!hasTorch()) return new Map();
  await using torch = await TorchPeer.start();
  const { rows } = await torch.ask<{ rows: { bytes: number; us: number }[] }>({
    do: "bench",
    bytes: sizes,
    rounds: ROUNDS,
  });
  return new Map(rows.map(({ bytes, us }) => [bytes, us]));
}

if (import.meta.main) await main();
