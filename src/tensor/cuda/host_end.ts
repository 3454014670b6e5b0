/**
 * The host's end of device memory with one plugin. All shared memory is the host's; it imports nothing from a plugin.
 *
 * @module
 */

import { CudaError, PermissionDeniedError, ProtocolError } from "../../errors.ts";
import type { IncomingMessage } from "../channel.ts";
import type { LinkAccess, LinkExtension } from "../link_extension.ts";
import type { TensorPort } from "../port.ts";
import type { ValueContext } from "../types.ts";
import { type CudaEnd, memoryToShare } from "./cuda_codec.ts";
import { CudaMessageKind, CudaPurpose, CudaState, trialPattern } from "./cuda_messages.ts";
import type { CudaHeader, CudaPlace } from "./cuda_place.ts";
import type { CudaTensor, CudaTensorMaker } from "./cuda_tensor.ts";
import type { DeviceEngine } from "./device_engine.ts";
import { type DeviceMemory, DriverMemory } from "./device_memory.ts";

/** How tensors on a device reach a plugin. */
export type CudaSharing = "descriptor" | "handle" | "host-copy";

/** What the host's end is made of. */
export interface HostEndParts {
  readonly access: LinkAccess;
  readonly maker: CudaTensorMaker;
  /** The started driver; null: everything travels through host memory. */
  readonly engine: DeviceEngine | null;
  readonly plugin: string;
  /** The plugin was granted a GPU. */
  readonly isGranted: boolean;
  /** Memory may be shared. */
  readonly isShared: boolean;
  /** Host and plugin see each other's processes, so that handles mean something. */
  readonly sharesPids: boolean;
  /** What happens when memory that may be shared cannot be. */
  readonly fallback: "host-copy" | "error";
  /** Device memory that the plugin may have asked for and not given back, in bytes. */
  readonly limitBytes: number;
  readonly warn: (text: string) => void;
}

/** Memory that a plugin asked for. */
interface MadeGrant {
  readonly memory: DriverMemory;
  readonly fd: number;
}

/** Device memory with one plugin. */
export class HostEnd implements CudaEnd, LinkExtension {
  readonly #parts: HostEndParts;
  readonly #made = new Map<number, MadeGrant>();
  #sharing: CudaSharing;
  #lastGrant = 0;
  #usedBytes = 0;
  #hasTried = false;
  #endTrial: (() => void) | null = null;
  /** Why memory cannot be shared although it may be. */
  #failure: string | null = null;

  /**
   * @param parts What it is made of.
   */
  constructor(parts: HostEndParts) {
    this.#parts = parts;
    const { engine, isShared, sharesPids } = parts;
    const canExport = engine?.calls.devices.every(({ sharesByDescriptor }) => sharesByDescriptor) ?? false;
    if (engine !== null && isShared && !canExport && !sharesPids) {
      this.#fail("its driver exports no descriptors, and handles do not cross pid namespaces");
    }
    // Descriptors only when the plugin has shown that it can import one.
    this.#sharing = engine !== null && isShared && !canExport && sharesPids ? "handle" : "host-copy";
  }

  get maker(): CudaTensorMaker {
    return this.#parts.maker;
  }

  get port(): TensorPort {
    return this.#parts.access.port;
  }

  /** How tensors reach the plugin now. */
  get sharing(): CudaSharing {
    return this.#sharing;
  }

  warn(text: string): void {
    this.#parts.warn(text);
  }

  lend(tensor: CudaTensor, context: ValueContext): CudaPlace | null {
    const { access, plugin, isGranted } = this.#parts;
    if (!isGranted) {
      throw new PermissionDeniedError(
        `Cannot send a tensor on "${tensor.device}" to "${plugin}": it has no GPU`,
        {
          suggestion: "gpu: true",
          hint: "Grant `gpu: true`, or send what `copyToHost()` gives",
        },
      );
    }
    access.drain();
    if (this.#sharing === "descriptor") return this.#lendDescriptor(tensor, context);
    if (this.#sharing === "handle") return this.#lendHandle(tensor, context);
    if (this.#failure !== null && this.#parts.fallback === "error") throw this.#unshared(this.#failure);
    return null;
  }

  receive({ place, bytes, device }: CudaHeader): DeviceMemory {
    if (place.kind !== "made") throw this.#broken(`sends memory of a device as "${place.kind}"`);
    this.#parts.access.drain();
    const made = this.#made.get(place.grant);
    if (made === undefined) throw this.#broken(`names device memory ${place.grant} that it does not have`);
    const { memory } = made;
    if (memory.device !== device || memory.bytes !== bytes) {
      throw this.#broken(`names ${bytes} bytes in device memory of ${memory.bytes}`);
    }
    memory.retain();
    const release = this.#parts.access.take(place.lease);
    release();
    return memory;
  }

  heed(message: IncomingMessage): boolean {
    switch (message.kind) {
      case CudaMessageKind.state:
        this.#heedState(message);
        return true;
      case CudaMessageKind.request:
        this.#answer(message);
        return true;
      case CudaMessageKind.giveBack:
        this.#takeBack(message.id);
        return true;
      default:
        return false;
    }
  }

  expired(): void {}

  close(): void {
    this.#sharing = "host-copy";
    this.#endTrial?.();
    for (const made of this.#made.values()) this.#drop(made);
    this.#made.clear();
  }

  // --- sending

  #lendDescriptor(tensor: CudaTensor, context: ValueContext): CudaPlace | null {
    const { access } = this.#parts;
    const memory = memoryToShare(this, tensor, isExportable(tensor.memory));
    if (!(memory instanceof DriverMemory) || memory.shared === null) {
      memory.release();
      return null;
    }
    const fd = this.#exported(memory);
    const grant = ++this.#lastGrant;
    const end = (): void => {
      access.close(fd);
      memory.release();
    };
    const lease = access.leases.open({ release: end }, "released");
    context.rollback(() => access.leases.cancel(lease));
    this.#sendGrant(grant, memory, fd, CudaPurpose.lent, lease);
    return { kind: "lent", grant, lease };
  }

  #lendHandle(tensor: CudaTensor, context: ValueContext): CudaPlace | null {
    const { access } = this.#parts;
    const memory = memoryToShare(this, tensor, isExportable(tensor.memory));
    if (!(memory instanceof DriverMemory)) return null;
    const { calls, context: on } = memory.on;
    try {
      calls.synchronize(on);
      const handle = calls.exportHandle(on, memory.address);
      const lease = access.leases.open(memory.retain(), "released");
      context.rollback(() => access.leases.cancel(lease));
      return { kind: "handle", handle, lease };
    } finally {
      memory.release();
    }
  }

  /** What was started before must be done before another process looks. */
  #exported(memory: DriverMemory): number {
    const { calls, context } = memory.on;
    try {
      calls.synchronize(context);
      if (memory.shared === null) throw new TypeError("Cannot export memory that was not made for it");
      return calls.exportShared(context, memory.shared);
    } catch (error) {
      memory.release();
      throw error;
    }
  }

  #sendGrant(grant: number, memory: DriverMemory, fd: number, purpose: number, about: number): void {
    const a = memory.shared?.bytes ?? 0;
    const message = { kind: CudaMessageKind.grant, flags: purpose, id: grant, a, b: memory.device, c: about };
    this.#parts.access.send(message, fd);
  }

  // --- the plugin's messages

  #heedState({ id: state, a: version, b: identity }: IncomingMessage): void {
    const { engine, isShared, plugin } = this.#parts;
    this.#endTrial?.();
    if (state === CudaState.works && this.#lastGrant > 0) {
      this.#sharing = "descriptor";
      return;
    }
    if (state !== CudaState.started) {
      this.#sharing = "host-copy";
      if (engine !== null) {
        this.#fail(`"${plugin}" cannot map memory of this GPU`);
      }
      return;
    }
    if (this.#hasTried) throw this.#broken("wants to try twice");
    this.#hasTried = true;
    const isSame = engine?.identity === identity && engine.calls.driverVersion === version;
    if (engine !== null && !isSame) {
      this.#fail(`"${plugin}" sees another driver or other devices`);
    }
    if (engine === null || !isShared || !isSame || !this.#startTrial(engine)) {
      this.#parts.access.send({ kind: CudaMessageKind.refuse, id: 0 });
    }
  }

  #startTrial(engine: DeviceEngine): boolean {
    if (engine.calls.devices[0]?.sharesByDescriptor !== true) return false;
    try {
      const grant = ++this.#lastGrant;
      const memory = engine.allocate(1, 0, true);
      const { calls, context } = memory.on;
      calls.write(context, memory.address, trialPattern(grant));
      const fd = this.#exported(memory);
      this.#endTrial = () => {
        this.#endTrial = null;
        this.#parts.access.close(fd);
        memory.release();
      };
      this.#sendGrant(grant, memory, fd, CudaPurpose.trial, 0);
      return true;
    } catch (error) {
      if (!(error instanceof CudaError)) throw error;
      this.#fail(`memory of this GPU cannot be shared (${error.result})`);
      return false;
    }
  }

  #answer({ id, a: bytes, b: device }: IncomingMessage): void {
    const { access, engine, limitBytes } = this.#parts;
    const free = limitBytes - this.#usedBytes;
    const refuse = (): void =>
      access.send({ kind: CudaMessageKind.refuse, id, a: bytes, b: Math.max(0, free), c: limitBytes });
    if (this.#sharing !== "descriptor" || engine === null || bytes < 1 || bytes > free) return refuse();
    try {
      const memory = engine.allocate(bytes, device, true);
      const fd = this.#exported(memory);
      const grant = ++this.#lastGrant;
      this.#usedBytes += bytes;
      this.#made.set(grant, { memory, fd });
      this.#sendGrant(grant, memory, fd, CudaPurpose.made, id);
    } catch (error) {
      if (!(error instanceof CudaError)) throw error;
      refuse();
    }
  }

  #takeBack(grant: number): void {
    const made = this.#made.get(grant);
    if (made === undefined) throw this.#broken(`gives back device memory ${grant} that it did not ask for`);
    this.#made.delete(grant);
    this.#drop(made);
  }

  #drop({ memory, fd }: MadeGrant): void {
    this.#usedBytes -= memory.bytes;
    this.#parts.access.close(fd);
    memory.release();
  }

  /** Said once, and an error for whoever does not want what follows from it. */
  #fail(reason: string): void {
    this.#failure ??= reason;
    if (this.#parts.fallback === "host-copy") {
      this.warn(`Tensors on devices travel to "${this.#parts.plugin}" through host memory, as ${reason}`);
    }
  }

  #unshared(reason: string): CudaError {
    return new CudaError(`Cannot share a tensor with "${this.#parts.plugin}" as ${reason}`, {
      call: "cuMemImportFromShareableHandle",
      result: "CUDA_ERROR_NOT_SUPPORTED",
      hint: 'Write cuda: { fallback: "host-copy" } if a copy through host memory will do',
    });
  }

  #broken(what: string): ProtocolError {
    return new ProtocolError(`Cannot share a GPU with "${this.#parts.plugin}" as it ${what}`);
  }
}

function isExportable(memory: DeviceMemory): boolean {
  return memory instanceof DriverMemory && memory.kind === "own";
}
