/**
 * GPUs inside a sandbox: a script of its own, which only plugins that were granted a GPU evaluate.
 *
 * @module
 */

import { CudaError } from "../../errors.ts";
import { openCuda } from "../../native/open_cuda.ts";
import type { GuestTensors } from "../guest_tensors.ts";
import type { LinkAccess } from "../link_extension.ts";
import type { ValueTypes } from "../types.ts";
import { Cuda } from "./cuda.ts";
import { cudaCodec } from "./cuda_codec.ts";
import { DeviceEngine } from "./device_engine.ts";
import { GuestEnd } from "./guest_end.ts";

/** What the guest gives to the script. */
export interface GuestCudaParts {
  /** Path of the native library; null: tensors are kept in host memory. */
  readonly libraryPath: string | null;
  /** Path or name of the driver's library. */
  readonly driver: string;
  /** Memory of devices may be shared with the host. */
  readonly ipc: boolean;
  /** Variables that the driver reads when it starts. */
  readonly environment: Readonly<Record<string, string>>;
  /** What happens without a driver. */
  readonly fallback: "host-copy" | "error";
  readonly tensors: GuestTensors;
  readonly types: ValueTypes;
  readonly warn: (text: string) => void;
}

/** GPUs of one guest. */
export interface GuestCuda {
  /** Find out whether memory can be shared; after the privileges are gone, before foreign code runs. */
  prepare(): void;
  /** What `cuda()` gives to the plugin. The driver is started by the first call. */
  cuda(): Cuda;
}

/**
 * Load the native part, which needs the `ffi` permission; the driver itself is started later, without it.
 *
 * @param parts What the guest gives.
 * @returns The GPUs.
 * @throws {NativeError} If the native library cannot be loaded.
 */
export function openGuestCuda(parts: GuestCudaParts): GuestCuda {
  const { libraryPath, driver, environment, fallback, tensors, warn } = parts;
  const library = libraryPath === null ? null : openCuda(libraryPath);
  let started: { readonly engine: DeviceEngine | null; readonly cuda: Cuda } | null = null;
  const start = (): NonNullable<typeof started> => {
    if (started !== null) return started;
    let engine: DeviceEngine | null = null;
    try {
      if (library !== null) engine = new DeviceEngine(startedWith(environment, () => library.start(driver)));
    } catch (error) {
      if (!(error instanceof CudaError) || fallback === "error") throw error;
      warn(`Tensors of devices are kept in host memory: ${error.message}`);
    }
    const cuda = new Cuda({
      engine,
      allocate: (bytes, device) => allocate(engine, end, bytes, device),
      hostTensor: (shape, dtype) => tensors.tensor(shape, dtype),
    });
    return started = { engine, cuda };
  };
  const end = guestEnd(parts, () => start().cuda, () => start().engine);
  parts.types.register("cuda", cudaCodec(end));
  return {
    prepare() {
      if (parts.ipc && tensors.stats().kind === "shared") end.prepare();
    },
    cuda: () => start().cuda,
  };
}

/** The driver reads the process' own variables, in which the plugin has only what it was granted. */
function startedWith<T>(environment: Readonly<Record<string, string>>, start: () => T): T {
  const before = Object.keys(environment).map((name) => [name, Deno.env.get(name)] as const);
  for (const [name, value] of Object.entries(environment)) Deno.env.set(name, value);
  try {
    return start();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

function guestEnd(
  { tensors, warn }: GuestCudaParts,
  maker: () => Cuda,
  engine: () => DeviceEngine | null,
): GuestEnd {
  let end: GuestEnd | null = null;
  tensors.extend((access: LinkAccess) => end = new GuestEnd({ access, maker, engine, warn }));
  if (end === null) throw new TypeError("Cannot use a GPU without a channel to the host");
  return end;
}

function allocate(
  engine: DeviceEngine | null,
  end: GuestEnd,
  bytes: number,
  device: number,
): ReturnType<GuestEnd["allocate"]> {
  if (engine === null) throw new TypeError("Cannot allocate without a driver");
  return end.allocate(bytes, device);
}
