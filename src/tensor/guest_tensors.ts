/**
 * Tensors inside a sandbox.
 *
 * @module
 */

import type { Native } from "../native/types.ts";
import { Channel } from "./channel.ts";
import { dtypeFacts } from "./dtype.ts";
import { GuestLink } from "./guest_link.ts";
import { GuestMemory } from "./guest_memory.ts";
import type { LinkAccess, LinkExtension } from "./link_extension.ts";
import { copyPort } from "./port.ts";
import { registerTensors } from "./register_tensors.ts";
import { elementCount } from "./shape.ts";
import { Storage } from "./storage.ts";
import { Tensor } from "./tensor.ts";
import {
  type Clock,
  DEFAULT_TENSOR_LIMITS,
  type Dtype,
  SYSTEM_CLOCK,
  type TensorLimits,
  type TensorOptions,
  type TensorStats,
  type ValueTypes,
} from "./types.ts";

/** Options of `openGuestTensors()`. */
export interface GuestTensorsOptions {
  /** The native library; without it tensors are copied into messages. */
  readonly native: Native | null;
  /** The guest's end of the channel, which is owned from now on; null: tensors are copied into messages. */
  readonly fd: number | null;
  /** Size of the largest message, for tensors that are copied. @default no bound */
  readonly maxFrameBytes?: number;
  /** Bounds that differ from `DEFAULT_TENSOR_LIMITS`. @default {} */
  readonly limits?: Partial<TensorLimits>;
  /** Time. @default the machine's */
  readonly clock?: Clock;
}

/** Tensors of one guest. */
export interface GuestTensors extends Disposable {
  /** Make tensors and large typed arrays cross the session with these types. */
  register(types: ValueTypes): void;
  /**
   * A new tensor of zeros in memory that the host sees too, from 16 KiB on.
   *
   * @param shape Sizes of the dimensions, in elements.
   * @param dtype Element type. @default "float32"
   * @param options Placement.
   * @returns The tensor; the caller disposes it.
   * @throws {MemoryPressureError} If the host has no memory for it.
   */
  tensor(shape: readonly number[], dtype?: Dtype, options?: TensorOptions): Tensor;
  /** Let something else than host memory use the channel; false where there is none. */
  extend(make: (access: LinkAccess) => LinkExtension): boolean;
  /**
   * Spare the collector the address space that is not used yet.
   *
   * @param isIdle Nobody waits: do it now, in 4 ms. Otherwise once the collector has run for the first time.
   */
  park(isIdle: boolean): void;
  /** Use of shared memory, as far as this guest knows. */
  stats(): TensorStats;
}

/**
 * Tensors of a guest. Must be called while the `ffi` permission is still there; nothing needs it later.
 *
 * @param options The native library and the channel.
 * @returns What makes and receives tensors.
 * @throws {NativeError} If no address space could be reserved.
 *
 * @example
 * ```ts
 * import { openGuestTensors } from "./mod.ts";
 *
 * using tensors = openGuestTensors({ native: null, fd: null });
 * using tensor = tensors.tensor([2, 3], "int8");
 * console.assert(tensor.byteLength === 6);
 * ```
 */
export function openGuestTensors(options: GuestTensorsOptions): GuestTensors {
  const { native, fd, clock = SYSTEM_CLOCK, maxFrameBytes = Infinity } = options;
  if (native === null || fd === null) return copiedTensors(maxFrameBytes);
  const limits = { ...DEFAULT_TENSOR_LIMITS, ...options.limits };
  const memory = new GuestMemory(native, limits);
  const link = new GuestLink({ native, memory, limits, clock, channel: new Channel(native, fd, clock) });
  return {
    register: (types) => registerTensors(types, link),
    extend(make) {
      link.extend(make);
      return true;
    },
    tensor: tensorMaker((bytes, isShared) => link.storage(bytes, isShared)),
    park: (isIdle) => memory.park(isIdle),
    stats() {
      const { mapped, windowBytes } = memory;
      const { size: leases } = link.leases;
      const { pluginBytes: limitBytes } = limits;
      return {
        kind: "shared",
        usedBytes: windowBytes,
        limitBytes,
        regions: mapped,
        leases,
        mapped,
        windowBytes,
      };
    },
    [Symbol.dispose]: () => link.close(),
  };
}

function copiedTensors(maxFrameBytes: number): GuestTensors {
  return {
    register: (types) => registerTensors(types, copyPort(maxFrameBytes)),
    extend: () => false,
    tensor: tensorMaker((bytes) => Storage.local(bytes)),
    park() {},
    stats: () => ({
      kind: "copy",
      usedBytes: 0,
      limitBytes: 0,
      regions: 0,
      leases: 0,
      mapped: 0,
      windowBytes: 0,
    }),
    [Symbol.dispose]() {},
  };
}

function tensorMaker(storageOf: (bytes: number, isShared: boolean) => Storage): GuestTensors["tensor"] {
  return (shape, dtype = "float32", options = {}) => {
    const bytes = elementCount(shape) * dtypeFacts(dtype).bytes;
    return new Tensor({ storage: storageOf(bytes, options.shared ?? false), dtype, shape });
  };
}
