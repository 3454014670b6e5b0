/**
 * The host's GPUs, opened when they are first needed.
 *
 * @module
 */

import type { CudaConfig } from "../config/types.ts";
import { hasMounts } from "../policy/has_mounts.ts";
import type { PlatformReport } from "../platform/mod.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { HostTensorLink, HostTensors } from "../tensor/mod.ts";
import type { HostCuda } from "../tensor/cuda/mod.ts";
import type { TypeRegistry } from "../rpc/mod.ts";
import type { BootRecord } from "../util/boot_record.ts";
import { readableVariable } from "../util/readable_variable.ts";

/** What GPUs are opened with. */
export interface ContextCudaParts {
  readonly config: CudaConfig;
  readonly platform: PlatformReport;
  readonly libraryPath: string | null;
  readonly tensors: HostTensors;
  readonly onNotice: (text: string) => void;
}

/** What a plugin's session has to do with GPUs. */
export interface CudaSession {
  readonly policy: SandboxPolicy;
  readonly plugin: string;
  readonly link: HostTensorLink;
  readonly types: TypeRegistry;
}

const DRIVER = "libcuda.so.1";

/** GPUs of one host. */
export class ContextCuda implements Disposable {
  readonly #parts: ContextCudaParts;
  #opened: Promise<HostCuda> | null = null;
  #host: HostCuda | null = null;
  #isDisposed = false;

  /**
   * @param parts What they are opened with.
   */
  constructor(parts: ContextCudaParts) {
    this.#parts = parts;
  }

  /** Open them, or what is open. */
  open(): Promise<HostCuda> {
    return this.#opened ??= this.#open();
  }

  /** Let tensors on devices cross a session, if they can occur in it. */
  async connect({ policy, plugin, link, types }: CudaSession): Promise<void> {
    if (!policy.gpu && this.#opened === null) return;
    const host = await this.open();
    const sharesPids = !hasMounts(policy.tier);
    host.connect({ link, types, plugin, isGranted: policy.gpu, sharesPids });
  }

  /**
   * What a guest needs to reach a GPU.
   *
   * @param policy What the plugin may do.
   * @param hasChannel Host and guest share memory.
   * @returns A part of its boot record.
   */
  async bootPart(policy: SandboxPolicy, hasChannel: boolean): Promise<BootRecord["cuda"]> {
    if (!policy.gpu || !hasChannel) return null;
    const { guestCudaScript } = await import("./embedded/guest_cuda.ts");
    const mount = policy.mounts.find(({ target }) => target.includes("/libcuda.so"));
    const driver = hasMounts(policy.tier) ? mount?.target : mount?.source;
    const { fallback } = this.#parts.config;
    const environment = driverEnvironment();
    return {
      script: guestCudaScript,
      driver: driver ?? DRIVER,
      ipc: this.#isShared(),
      environment,
      fallback,
    };
  }

  [Symbol.dispose](): void {
    this.#isDisposed = true;
    this.#host?.[Symbol.dispose]();
    this.#host = null;
  }

  async #open(): Promise<HostCuda> {
    const { config, platform, libraryPath, tensors, onNotice } = this.#parts;
    const { openHostCuda } = await import("../tensor/cuda/mod.ts");
    const known = platform.facts.gpuLibraries?.find(({ name }) => name === DRIVER);
    const host = openHostCuda({
      libraryPath,
      driver: known?.source ?? DRIVER,
      ipc: this.#isShared(),
      fallback: config.fallback,
      hostTensor: (shape, dtype) => tensors.tensor(shape, dtype),
      onNotice,
    });
    if (this.#isDisposed) host[Symbol.dispose]();
    return this.#host = host;
  }

  #isShared(): boolean {
    return this.#parts.config.ipc ?? readableVariable("CORDON_ENABLE_CUDA_IPC") === "1";
  }
}

/** Host and plugin must number devices alike. */
function driverEnvironment(): Readonly<Record<string, string>> {
  const names = ["CUDA_VISIBLE_DEVICES", "CUDA_DEVICE_ORDER"];
  return Object.fromEntries(names.flatMap((name) => {
    const value = readableVariable(name);
    return value === undefined ? [] : [[name, value]];
  }));
}
