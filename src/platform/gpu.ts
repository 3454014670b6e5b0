/**
 * Lists the device nodes of GPUs.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import { gpuLibraries } from "./gpu_libraries.ts";
import type { Probed } from "./probed.ts";
import { isAbsent, readFact } from "./read_fact.ts";
import type { GpuLibrary } from "./types.ts";

const IN_DEV = /^(nvidia\d+|nvidiactl|nvidia-uvm|nvidia-uvm-tools|nvidia-modeset|dxg|kfd)$/;
const IN_DRI = /^(card|renderD)\d+$/;

/** Devices and what their driver consists of. */
export interface GpuFacts {
  /** Absolute paths of device nodes, sorted. */
  readonly devices: readonly string[];
  /** Libraries of the driver. */
  readonly libraries: readonly GpuLibrary[];
}

/**
 * List the GPU devices that a plugin could be given, and the driver's libraries.
 *
 * @returns What was found.
 */
export async function probeGpu(): Promise<Probed<GpuFacts>> {
  const [top, dri] = await Promise.all([names("/dev", IN_DEV), names("/dev/dri", IN_DRI)]);
  const devices = [...top, ...dri].sort();
  const libraries = await gpuLibraries(devices.length > 0);
  return { fact: { devices, libraries }, finding: await finding(devices, libraries) };
}

async function finding(devices: readonly string[], libraries: readonly GpuLibrary[]): Promise<Finding> {
  const id = "gpu";
  const isNvidia = devices.some((path) => path.startsWith("/dev/nvidia") || path === "/dev/dxg");
  if (devices.length === 0) {
    return { id, level: "skip", summary: "No GPU device was found", evidence: "/dev and /dev/dri" };
  }
  const driver = libraries.find(({ name }) => name === "libcuda.so.1");
  const version = isNvidia ? await readFact("/sys/module/nvidia/version") : null;
  const evidence = [
    ...devices,
    `driver ${version ?? "of unknown version"}`,
    driver === undefined ? "no libcuda.so.1" : driver.source,
    // Whether it works is found by a trial, here and when a plugin with a GPU starts.
    "device memory is shared only with CORDON_ENABLE_CUDA_IPC=1",
  ].join(", ");
  const summary = `${devices.length} GPU devices were found`;
  if (!isNvidia || driver !== undefined) return { id, level: "ok", summary, evidence };
  return {
    id,
    level: "warn",
    summary: `${summary}, but no driver library`,
    evidence,
    fix: [
      "Install the user-space half of NVIDIA's driver (libcuda.so.1), in a container through its toolkit",
    ],
  };
}

async function names(directory: string, pattern: RegExp): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (pattern.test(name)) found.push(`${directory}/${name}`);
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return found;
}
