/**
 * Tensors of a host, and its links to plugins.
 *
 * @module
 */

import type { ProtocolError } from "../errors.ts";
import type { Native } from "../native/types.ts";
import { Channel } from "./channel.ts";
import { dtypeFacts } from "./dtype.ts";
import { HostLink } from "./host_link.ts";
import { HostMemory } from "./host_memory.ts";
import type { LinkAccess, LinkExtension } from "./link_extension.ts";
import { copyPort, type TensorPort } from "./port.ts";
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

/** Options of `createHostTensors()`. */
export interface HostTensorsOptions {
  /** The native library; without it tensors are copied into messages. It must outlive the tensors. */
  readonly native: Native | null;
  /** Bounds that differ from `DEFAULT_TENSOR_LIMITS`. @default {} */
  readonly limits?: Partial<TensorLimits>;
  /** Why there is no native library, for `onNotice`. @default "the native library is not available" */
  readonly whyCopied?: string;
  /** Is told once if tensors must be copied. @default nobody */
  readonly onNotice?: (text: string) => void;
  /** Time. @default the machine's */
  readonly clock?: Clock;
}

/** Options of `HostTensors.connect()`. */
export interface ConnectOptions {
  /** The host's end of a `Native.socketPair()`, which the link owns; null: tensors are copied into messages. */
  readonly fd: number | null;
  /** Name of the plugin, for messages. */
  readonly plugin: string;
  /** Bounds that differ from the host's. @default {} */
  readonly limits?: Partial<TensorLimits>;
  /** Size of the largest message, for tensors that are copied. @default no bound */
  readonly maxFrameBytes?: number;
  /** The plugin broke the protocol. The link is closed already; the plugin should be ended. */
  readonly onViolation: (error: ProtocolError) => void;
}

/** Shared memory with one plugin. Disposing takes everything back that the plugin had. */
export interface HostTensorLink extends Disposable, AsyncDisposable {
  /** Make tensors and large typed arrays cross the sessions with these types. Before the first call. */
  register(types: ValueTypes): void;
  /** Let something else than host memory use the channel; false where there is none. For modules that hand memory over. */
  extend(make: (access: LinkAccess) => LinkExtension): boolean;
}

/** Tensors of one host. Disposing unmaps everything; tensors that are still in use are empty then. */
export interface HostTensors extends Disposable {
  /** Through shared memory, or copied. */
  readonly kind: "shared" | "copy";
  /**
   * A new tensor of zeros; from 1 MiB on, or if asked for, in shared memory of its own.
   *
   * @param shape Sizes of the dimensions, in elements.
   * @param dtype Element type. @default "float32"
   * @param options Placement.
   * @returns The tensor; the caller disposes it.
   * @throws {MemoryPressureError} If the memory is not there.
   */
  tensor(shape: readonly number[], dtype?: Dtype, options?: TensorOptions): Tensor;
  /** Share memory with a plugin. */
  connect(options: ConnectOptions): HostTensorLink;
  /** Use of shared memory. */
  stats(): TensorStats;
  /** Give notice for everything that was sent and not picked up, without waiting for `retentionMs`; how many. */
  flush(): number;
  /** Take back what notice was given for and the receiver has not answered; how many. */
  purgeOrphans(): number;
}

/**
 * Tensors of a host.
 *
 * @param options The native library and bounds.
 * @returns What makes tensors and links. The caller disposes it, before the native library.
 *
 * @example
 * ```ts
 * import { createHostTensors } from "./mod.ts";
 *
 * using tensors = createHostTensors({ native: null });
 * using tensor = tensors.tensor([2, 3], "float32");
 * console.assert(tensor.size === 6);
 * ```
 */
export function createHostTensors(options: HostTensorsOptions): HostTensors {
  const limits = { ...DEFAULT_TENSOR_LIMITS, ...options.limits };
  const { native, clock = SYSTEM_CLOCK, whyCopied = "the native library is not available" } = options;
  if (native !== null) return new SharedTensors(new HostMemory(native, limits), limits, clock);
  options.onNotice?.(`Tensors are copied into messages, as ${whyCopied}`);
  return new CopiedTensors();
}

class SharedTensors implements HostTensors {
  readonly kind = "shared";
  readonly #memory: HostMemory;
  readonly #limits: TensorLimits;
  readonly #clock: Clock;
  readonly #links = new Set<HostLink>();

  constructor(memory: HostMemory, limits: TensorLimits, clock: Clock) {
    this.#memory = memory;
    this.#limits = limits;
    this.#clock = clock;
  }

  tensor(shape: readonly number[], dtype: Dtype = "float32", options: TensorOptions = {}): Tensor {
    const bytes = elementCount(shape) * dtypeFacts(dtype).bytes;
    const isShared = bytes > 0 && (options.shared === true || bytes >= this.#limits.regionBytes);
    const storage = isShared ? this.#memory.mapStorage(this.#memory.region(bytes)) : Storage.local(bytes);
    return new Tensor({ storage, dtype, shape });
  }

  connect({ fd, plugin, limits, onViolation, maxFrameBytes = Infinity }: ConnectOptions): HostTensorLink {
    if (fd === null) return portLink(copyPort(maxFrameBytes));
    const link: HostLink = new HostLink({
      memory: this.#memory,
      channel: new Channel(
        this.#memory.native,
        fd,
        this.#clock,
        () => link.end("does not read its messages"),
      ),
      limits: { ...this.#limits, ...limits },
      clock: this.#clock,
      plugin,
      onViolation,
    });
    this.#links.add(link);
    const end = (): Promise<void> => {
      this.#links.delete(link);
      link.close();
      return link.finished;
    };
    const extend: HostTensorLink["extend"] = (make) => {
      link.extend(make);
      return true;
    };
    return { ...portLink(link, end), extend };
  }

  stats(): TensorStats {
    const { budget, regions, mapped, windowBytes } = this.#memory;
    const leases = [...this.#links].reduce((sum, link) => sum + link.leases.size, 0);
    const { usedBytes, limitBytes } = budget;
    return { kind: this.kind, usedBytes, limitBytes, regions, leases, mapped, windowBytes };
  }

  flush(): number {
    return [...this.#links].reduce((sum, link) => sum + link.leases.flush(), 0);
  }

  purgeOrphans(): number {
    return [...this.#links].reduce((sum, link) => sum + link.leases.purge(), 0);
  }

  [Symbol.dispose](): void {
    for (const link of this.#links) link.close();
    this.#links.clear();
    this.#memory[Symbol.dispose]();
  }
}

class CopiedTensors implements HostTensors {
  readonly kind = "copy";

  tensor(shape: readonly number[], dtype: Dtype = "float32"): Tensor {
    return new Tensor({
      storage: Storage.local(elementCount(shape) * dtypeFacts(dtype).bytes),
      dtype,
      shape,
    });
  }

  connect({ maxFrameBytes = Infinity }: ConnectOptions): HostTensorLink {
    return portLink(copyPort(maxFrameBytes));
  }

  stats(): TensorStats {
    return { kind: this.kind, usedBytes: 0, limitBytes: 0, regions: 0, leases: 0, mapped: 0, windowBytes: 0 };
  }

  flush(): number {
    return 0;
  }

  purgeOrphans(): number {
    return 0;
  }

  [Symbol.dispose](): void {}
}

function portLink(port: TensorPort, end: () => Promise<void> = () => Promise.resolve()): HostTensorLink {
  return {
    register(types) {
      registerTensors(types, port);
    },
    extend: () => false,
    [Symbol.dispose]() {
      // The wait for messages ends by itself; it never rejects.
      void end();
    },
    [Symbol.asyncDispose]: end,
  };
}
