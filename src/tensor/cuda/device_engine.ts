/**
 * Allocates memory on the devices of one started driver.
 *
 * @module
 */

import { CudaError } from "../../errors.ts";
import type { CudaCalls } from "../../native/cuda_types.ts";
import { type DeviceContext, DriverMemory, withoutFault } from "./device_memory.ts";

/** The driver hands out whole steps to other processes, with everything that lies in them. */
const STEP_BYTES = 2 * 2 ** 20;

/** The devices of one driver. Owns it. */
export class DeviceEngine implements Disposable {
  readonly calls: CudaCalls;
  readonly #contexts = new Map<number, DeviceContext>();
  readonly #peers = new Set<string>();
  /** Gives back each piece of memory that exists. */
  readonly #live = new Set<() => void>();

  /**
   * @param calls The started driver, owned from now on.
   */
  constructor(calls: CudaCalls) {
    this.calls = calls;
  }

  /** What tells these devices and this driver from others: peers with the same can share memory. */
  get identity(): number {
    const text = this.calls.devices.map(({ uuid }) => uuid).join();
    let hash = 0;
    for (let index = 0; index < text.length; index++) {
      hash = (hash * 31 + text.charCodeAt(index)) % 2 ** 47;
    }
    return hash;
  }

  /** The context of a device, made when it is first needed. */
  on(device: number): DeviceContext {
    const known = this.#contexts.get(device);
    if (known !== undefined) return known;
    if (this.calls.devices[device] === undefined) {
      throw new CudaError(
        `Cannot use device ${device} as there are ${this.calls.devices.length} devices`,
        { call: "cuDeviceGet", result: "CUDA_ERROR_INVALID_DEVICE" },
      );
    }
    const made = { calls: this.calls, device, context: this.calls.context(device) };
    this.#contexts.set(device, made);
    return made;
  }

  /**
   * New memory of zeros.
   *
   * @param bytes How much; more than 0.
   * @param device Where.
   * @param isShareable It can be handed to another process.
   * @returns The memory; the caller releases it.
   */
  allocate(bytes: number, device: number, isShareable: boolean): DriverMemory {
    const on = this.on(device);
    const { calls, context } = on;
    const canExport = calls.devices[device]?.sharesByDescriptor === true;
    const capacity = isShareable ? Math.ceil(bytes / STEP_BYTES) * STEP_BYTES : bytes;
    const memory = isShareable && canExport
      ? this.#allocateShared(on, bytes)
      : this.#allocatePlain(on, bytes, capacity);
    try {
      // Also what is left of the last step: others will see it.
      calls.fill(context, memory.address, 0, memory.shared?.bytes ?? capacity, 0n);
      return memory;
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  /** Map what another process exported. The descriptor stays the caller's; `onFree` is called after unmapping. */
  importDescriptor(
    fd: number,
    { bytes, capacity, device, grant, onFree }: ImportParts,
  ): DriverMemory {
    const on = this.on(device);
    const shared = on.calls.importShared(on.context, device, fd, capacity);
    const free = this.#once(() => on.calls.freeShared(on.context, shared), onFree);
    return new DriverMemory({ on, kind: "descriptor", address: shared.address, bytes, shared, grant, free });
  }

  /** Map what a handle stands for. */
  importHandle(handle: Uint8Array, bytes: number, device: number, onFree: () => void): DriverMemory {
    const on = this.on(device);
    const address = on.calls.importHandle(on.context, handle);
    const free = this.#once(() => on.calls.freeHandle(on.context, address), onFree);
    return new DriverMemory({ on, kind: "handle", address, bytes, shared: null, free });
  }

  /** New memory for which the driver gives handles; its contents are undefined. */
  allocateForHandle(bytes: number, device: number): DriverMemory {
    return this.#allocatePlain(this.on(device), bytes, Math.ceil(bytes / STEP_BYTES) * STEP_BYTES);
  }

  /**
   * Let kernels of a device reach memory of another one.
   *
   * @param device Whose kernels.
   * @param peer Whose memory.
   * @throws {CudaError} If the two cannot.
   */
  enablePeer(device: number, peer: number): void {
    if (device === peer || this.#peers.has(`${device}-${peer}`)) return;
    try {
      this.calls.enablePeer(this.on(device).context, device, this.on(peer).context, peer);
    } catch (error) {
      if (!(error instanceof CudaError) || error.result !== "EOPNOTSUPP") throw error;
      throw new CudaError(
        `Cannot let "cuda:${device}" reach memory of "cuda:${peer}" as the two are no peers`,
        {
          call: "cuDeviceCanAccessPeer",
          result: "CUDA_ERROR_PEER_ACCESS_UNSUPPORTED",
          hint: "Copy between them with copyFrom(), which works for all devices",
        },
      );
    }
    this.#peers.add(`${device}-${peer}`);
  }

  /**
   * Whether kernels of a device may use memory; opened to it if its device is a peer.
   *
   * @param device Whose kernels.
   * @param memory The memory.
   */
  reaches(device: number, memory: DriverMemory): boolean {
    if (device === memory.device) return true;
    if (!this.#peers.has(`${device}-${memory.device}`)) return false;
    memory.openTo(device);
    return true;
  }

  /** Memory that is still there is given back; tensors of it are of no use then. */
  [Symbol.dispose](): void {
    for (const free of this.#live) withoutFault(free);
    for (const { device } of this.#contexts.values()) this.calls.releaseContext(device);
    this.#contexts.clear();
    this.calls[Symbol.dispose]();
  }

  /** Once: by its last reference, or when the driver is closed. */
  #once(give: () => void, onFree: () => void = () => {}): () => void {
    const free = (): void => {
      if (!this.#live.delete(free)) return;
      try {
        give();
      } finally {
        onFree();
      }
    };
    this.#live.add(free);
    return free;
  }

  #allocateShared(on: DeviceContext, bytes: number): DriverMemory {
    const shared = on.calls.createShared(on.context, on.device, bytes);
    const free = this.#once(() => on.calls.freeShared(on.context, shared));
    return new DriverMemory({ on, kind: "own", address: shared.address, bytes, shared, free });
  }

  #allocatePlain(on: DeviceContext, bytes: number, capacity: number): DriverMemory {
    const address = on.calls.allocate(on.context, capacity);
    const free = this.#once(() => on.calls.free(on.context, address));
    return new DriverMemory({ on, kind: "own", address, bytes, shared: null, free });
  }
}

/** What is known about memory that comes as a descriptor. */
export interface ImportParts {
  /** How much of it the tensor uses. */
  readonly bytes: number;
  /** Its whole size. */
  readonly capacity: number;
  readonly device: number;
  /** Number by which the peer knows it. */
  readonly grant: number;
  /** Called when it is unmapped. */
  readonly onFree: () => void;
}
