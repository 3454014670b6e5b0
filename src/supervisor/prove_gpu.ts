/**
 * Starts the graphics driver, and a real plugin that is handed a tensor on a device; reports how it arrived.
 *
 * @module
 */

import type { HostOptions } from "../config/types.ts";
import { CordonError, CudaError, type Finding } from "../errors.ts";
import type { Cuda } from "../tensor/cuda/mod.ts";
import { createHost } from "./host.ts";
import type { Host } from "./types.ts";

/** Source of the plugin. It says how the tensor came and what the first element is. */
const PROBE = `
export async function look(tensor: any): Promise<[string, number]> {
  const seen = await tensor.copyToHost();
  return [tensor.status.memory, seen.data[0]];
}
`;

/** What the plugin must find in the tensor. */
const MARK = 42;

/** What each way means, from the best. */
const WAYS: Readonly<Record<string, Pick<Finding, "level" | "summary">>> = {
  descriptor: { level: "ok", summary: "Device memory is shared with plugins without a copy, by descriptor" },
  handle: { level: "ok", summary: "Device memory is shared with plugins without a copy, by handle" },
  own: { level: "warn", summary: "Tensors on a device travel to plugins through host memory" },
};

/**
 * Find out, by trying, what plugins can do with the GPUs of this machine.
 *
 * @param options As for `createHost()`.
 * @returns One finding for each device, and one for the way in which memory reaches a plugin. None is a failure: nothing
 * but GPUs depends on them.
 */
export async function proveGpu(options: HostOptions = {}): Promise<readonly Finding[]> {
  const open = (fallback: "error" | "host-copy"): Promise<Host> =>
    createHost({ ...options, output: "ignore", cuda: { ipc: true, fallback } });
  try {
    await using strict = await open("error");
    await strict.cuda();
  } catch (error) {
    if (!(error instanceof CudaError)) throw error;
    return [unusable("gpu-driver", `The graphics driver cannot be used: ${error.result}`, error)];
  }
  await using host = await open("host-copy");
  const cuda = await host.cuda();
  return [...cuda.devices.map((_, index) => device(cuda, index)), await way(host, cuda)];
}

function device(cuda: Cuda, index: number): Finding {
  const { name, memoryBytes, capability, sharesByDescriptor } = cuda.devices[index]!;
  const version = `${Math.floor(cuda.driverVersion / 1000)}.${cuda.driverVersion % 1000 / 10}`;
  return {
    id: `gpu-${index}`,
    level: "ok",
    summary: `cuda:${index} is a ${name} with ${(memoryBytes / 2 ** 30).toFixed(0)} GiB`,
    evidence: `driver API ${version}, compute capability ${capability.join(".")}, ${
      sharesByDescriptor ? "exports" : "does not export"
    } descriptors`,
  };
}

async function way(host: Host, cuda: Cuda): Promise<Finding> {
  const id = "gpu-sharing";
  const directory = await Deno.makeTempDir({ prefix: "cordon-gpu-" });
  try {
    const entry = `${directory}/probe.ts`;
    await Deno.writeTextFile(entry, PROBE);
    await using plugin = await host.load<{ look(tensor: unknown): Promise<[string, number]> }>(entry, {
      gpu: true,
    });
    using tensor = cuda.tensor([1024]);
    await tensor.copyFrom(new Float32Array(1024).fill(MARK));
    const [memory, seen] = await plugin.api.look(tensor);
    const evidence = `a plugin was handed 4 KiB and read ${seen} where ${MARK} was written`;
    const { level, summary } = WAYS[memory] ?? { level: "warn", summary: `Tensors arrive as "${memory}"` };
    return seen === MARK
      ? { id, level, summary, evidence, ...(level === "ok" ? {} : { fix: [SAID_WHY] }) }
      : { id, level: "warn", summary: "A plugin reads something else than was written", evidence };
  } catch (error) {
    if (!(error instanceof CordonError)) throw error;
    return unusable(id, "A plugin cannot use the GPU", error);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

const SAID_WHY = "See what was printed above: the driver's or the plugin's reason";

function unusable(id: string, summary: string, { message, hint }: CordonError): Finding {
  return { id, level: "warn", summary, evidence: message, ...(hint === undefined ? {} : { fix: [hint] }) };
}
