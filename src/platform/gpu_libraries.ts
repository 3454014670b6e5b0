/**
 * Finds the user-space half of NVIDIA's driver.
 *
 * @module
 */

import type { GpuLibrary } from "./types.ts";
import { readableVariable } from "../util/readable_variable.ts";
import { isAbsent } from "./read_fact.ts";

/** Where distributions, containers and WSL put it, in the order in which it is looked for. */
const DIRECTORIES: readonly string[] = [
  "/usr/lib/x86_64-linux-gnu",
  "/usr/lib/aarch64-linux-gnu",
  "/usr/lib64",
  "/usr/local/nvidia/lib64",
  "/usr/local/nvidia/lib",
  "/usr/lib/wsl/lib",
];

/** The driver itself, and what it loads to compile programs; the rest of its libraries is not needed to compute. */
const NEEDED =
  /^lib(cuda\.so\.1|nvidia-ptxjitcompiler\.so\.|nvidia-gpucomp\.so\.|nvidia-nvvm(70)?\.so\.|dxcore\.so$)/;

/** Names another driver, for the tests of this package; what it names runs in the host and in every plugin with a GPU. */
const TEST_DRIVER = "CORDON_TEST_CUDA_LIBRARY";

/**
 * The driver's libraries.
 *
 * @param hasDevices Whether there is a device; without one nothing is looked for.
 * @returns Names that the loader asks for, and the real files; empty without a driver.
 */
export async function gpuLibraries(hasDevices: boolean): Promise<readonly GpuLibrary[]> {
  const test = readableVariable(TEST_DRIVER);
  if (test !== undefined) return [{ name: "libcuda.so.1", source: test }];
  if (!hasDevices) return [];
  for (const directory of DIRECTORIES) {
    const found = await librariesIn(directory);
    if (found.some(({ name }) => name === "libcuda.so.1")) return found;
  }
  return [];
}

async function librariesIn(directory: string): Promise<readonly GpuLibrary[]> {
  const found: GpuLibrary[] = [];
  try {
    for await (const { name } of Deno.readDir(directory)) {
      if (NEEDED.test(name)) found.push({ name, source: await Deno.realPath(`${directory}/${name}`) });
    }
  } catch (error) {
    if (!isAbsent(error)) throw error;
  }
  return found.sort((a, b) => a.name < b.name ? -1 : 1);
}
