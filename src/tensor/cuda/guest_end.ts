/**
 * A guest's end of device memory with its host.
 *
 * @module
 */

import { CudaError, MemoryPressureError, ProtocolError } from "../../errors.ts";
import type { IncomingMessage } from "../channel.ts";
import type { LinkAccess, LinkExtension } from "../link_extension.ts";
import type { TensorPort } from "../port.ts";
import type { ValueContext } from "../types.ts";
import { type CudaEnd, memoryToShare } from "./cuda_codec.ts";
import { CudaMessageKind, CudaPurpose, CudaState, TRIAL_BYTES, trialPattern } from "./cuda_messages.ts";
import type { CudaHeader, CudaPlace } from "./cuda_place.ts";
import type { CudaTensor, CudaTensorMaker } from "./cuda_tensor.ts";
import type { DeviceEngine } from "./device_engine.ts";
import type { DeviceMemory, DriverMemory } from "./device_memory.ts";

/** What a guest's end is made of. */
export interface GuestEndParts {
  readonly access: LinkAccess;
  /** Makes tensors of what comes in; asked for late, since it needs this end itself. */
  readonly maker: () => CudaTensorMaker;
  /** The started driver, started when it is first asked for; null where there is none. */
  readonly engine: () => DeviceEngine | null;
  readonly warn: (text: string) => void;
}

type Answer = { readonly granted: IncomingMessage } | { readonly refused: IncomingMessage };

/** Device memory with the host. */
export class GuestEnd implements CudaEnd, LinkExtension {
  readonly #parts: GuestEndParts;
  readonly #pending = new Map<number, IncomingMessage>();
  readonly #answers = new Map<number, Answer>();
  #lastRequest = 0;
  #isSharing = false;

  /**
   * @param parts What it is made of.
   */
  constructor(parts: GuestEndParts) {
    this.#parts = parts;
  }

  get maker(): CudaTensorMaker {
    return this.#parts.maker();
  }

  get port(): TensorPort {
    return this.#parts.access.port;
  }

  warn(text: string): void {
    this.#parts.warn(text);
  }

  /** Find out, by doing it once, whether memory of the host can be mapped here. */
  prepare(): void {
    const { access } = this.#parts;
    const engine = this.#parts.engine();
    if (engine === null) return this.#say(CudaState.failed);
    const { driverVersion: a } = engine.calls;
    access.send({ kind: CudaMessageKind.state, id: CudaState.started, a, b: engine.identity });
    const answer = access.awaited(() => this.#answers.get(0) ?? null);
    this.#answers.delete(0);
    if (answer === null || "refused" in answer) return;
    this.#isSharing = this.#tryMemory(engine, answer.granted);
    this.#say(this.#isSharing ? CudaState.works : CudaState.failed);
  }

  /**
   * Memory for a new tensor: the host's, if it can be shared, so that the tensor can be given back.
   *
   * @param bytes How much.
   * @param device Where.
   * @throws {MemoryPressureError} If the host has none.
   */
  allocate(bytes: number, device: number): DeviceMemory {
    const engine = this.#parts.engine();
    if (engine === null) throw new TypeError("Cannot allocate without a driver");
    if (!this.#isSharing) return engine.allocate(bytes, device, false);
    const { access } = this.#parts;
    const id = ++this.#lastRequest;
    access.send({ kind: CudaMessageKind.request, id, a: bytes, b: device });
    const answer = access.awaited(() => this.#answers.get(id) ?? null);
    this.#answers.delete(id);
    if (answer === null || "refused" in answer) throw pressure(bytes, answer?.refused);
    const { granted } = answer;
    return this.#imported(engine, granted, bytes, () => {
      access.send({ kind: CudaMessageKind.giveBack, id: granted.id });
    });
  }

  lend(tensor: CudaTensor, context: ValueContext): CudaPlace | null {
    if (!this.#isSharing) return null;
    const { access } = this.#parts;
    const memory = memoryToShare(this, tensor, tensor.memory.grant > 0) as DriverMemory;
    const lease = access.leases.open(memory, "picked");
    context.rollback(() => access.leases.cancel(lease));
    memory.on.calls.synchronize(memory.on.context);
    return { kind: "made", grant: memory.grant, lease };
  }

  receive({ place, bytes, device }: CudaHeader): DeviceMemory {
    const { access } = this.#parts;
    const engine = this.#parts.engine();
    if (place.kind === "made" || place.kind === "copy" || engine === null) {
      throw new ProtocolError(`Cannot use memory of a device that the host sends as "${place.kind}"`);
    }
    access.drain();
    if (place.kind === "handle") {
      const release = access.take(place.lease);
      return this.#tried(() => engine.importHandle(place.handle, bytes, device, release), release);
    }
    const find = (): IncomingMessage | null => this.#pending.get(place.grant) ?? null;
    const granted = find() ?? access.awaited(find);
    this.#pending.delete(place.grant);
    if (granted === null || granted.a < bytes || granted.b !== device || granted.c !== place.lease) {
      if (granted !== null) access.close(granted.fd);
      throw new ProtocolError(
        `Cannot use device memory ${place.grant} as the host did not grant ${bytes} bytes of it`,
      );
    }
    const release = access.take(place.lease);
    return this.#tried(() => this.#imported(engine, granted, bytes, release), release);
  }

  heed(message: IncomingMessage): boolean {
    if (message.kind === CudaMessageKind.refuse) {
      this.#answers.set(message.id, { refused: message });
      return true;
    }
    if (message.kind !== CudaMessageKind.grant) return false;
    if (message.fd < 0) throw new ProtocolError("Cannot use device memory as it came without a descriptor");
    if (message.flags === CudaPurpose.lent) this.#pending.set(message.id, message);
    else this.#answers.set(message.flags === CudaPurpose.trial ? 0 : message.c, { granted: message });
    return true;
  }

  expired(lease: number): void {
    for (const [grant, { fd, c }] of this.#pending) {
      if (c !== lease) continue;
      this.#parts.access.close(fd);
      this.#pending.delete(grant);
    }
  }

  close(): void {
    for (const { fd } of this.#pending.values()) this.#parts.access.close(fd);
    this.#pending.clear();
  }

  #imported(engine: DeviceEngine, granted: IncomingMessage, bytes: number, onFree: () => void): DriverMemory {
    const { id: grant, a: capacity, b: device, fd } = granted;
    try {
      return engine.importDescriptor(fd, { bytes, capacity, device, grant, onFree });
    } finally {
      this.#parts.access.close(fd);
    }
  }

  /** What fails once fails again: from then on the host sends bytes. */
  #tried(map: () => DriverMemory, release: () => void): DriverMemory {
    try {
      return map();
    } catch (error) {
      release();
      if (error instanceof CudaError) this.#say(CudaState.failed);
      throw error;
    }
  }

  #tryMemory(engine: DeviceEngine, granted: IncomingMessage): boolean {
    try {
      const memory = this.#imported(engine, granted, TRIAL_BYTES, () => {});
      const seen = new Uint8Array(TRIAL_BYTES);
      try {
        memory.readNow(0, seen);
      } finally {
        memory.release();
      }
      const wanted = trialPattern(granted.id);
      return seen.every((byte, index) => byte === wanted[index]);
    } catch (error) {
      if (!(error instanceof CudaError)) throw error;
      this.warn(`Memory of the host's GPU cannot be mapped here: ${error.result}`);
      return false;
    }
  }

  #say(state: number): void {
    this.#isSharing &&= state === CudaState.works;
    this.#parts.access.send({ kind: CudaMessageKind.state, id: state });
  }
}

function pressure(asked: number, refused: IncomingMessage | undefined): MemoryPressureError {
  const free = refused?.b ?? 0;
  const allowed = refused?.c ?? 0;
  return new MemoryPressureError(`Cannot take ${asked} bytes of a device as ${free} are free`, {
    limit: "deviceBytes",
    asked,
    allowed,
    free,
  });
}
