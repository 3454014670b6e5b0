/** A peer that says on the channel whatever a test wants. */

import type { ProtocolError } from "../../src/errors.ts";
import type { Native } from "../../src/native/mod.ts";
import {
  createHostTensors,
  type HostTensorLink,
  type HostTensors,
  type TensorLimits,
} from "../../src/tensor/mod.ts";
import type { Clock } from "../../src/tensor/mod.ts";
import { fdTargets } from "../launcher/processes.ts";
import { testNative } from "../native/test_native.ts";
import { WireTypes } from "./wire.ts";

/** What came over the channel. */
export interface RawMessage {
  readonly kind: number;
  readonly flags: number;
  readonly id: number;
  readonly a: number;
  readonly b: number;
  readonly c: number;
  readonly fd: number;
}

/** Numbers of messages and purposes, written out: they are the protocol. */
export const KIND = {
  grant: 1,
  request: 2,
  refuse: 3,
  giveBack: 4,
  picked: 5,
  released: 6,
  expired: 7,
} as const;
export const PURPOSE = { lent: 0, made: 1, guestArena: 2, hostArena: 3 } as const;

/** Encode a message. */
export function rawMessage(kind: number, values: readonly number[], flags = 0): Uint8Array {
  const view = new DataView(new ArrayBuffer(40));
  view.setUint32(0, kind, true);
  view.setUint32(4, flags, true);
  values.forEach((value, index) => view.setFloat64(8 + 8 * index, value, true));
  return new Uint8Array(view.buffer);
}

/** A host with a link to a peer that is played by the test. */
export class RawPeer implements AsyncDisposable {
  readonly native: Native;
  readonly host: HostTensors;
  readonly types = new WireTypes();
  readonly violations: ProtocolError[] = [];
  readonly fd: number;
  readonly link: HostTensorLink;

  private constructor(native: Native, limits: Partial<TensorLimits>, clock: Clock | undefined) {
    this.native = native;
    this.host = createHostTensors({ native, limits, ...(clock === undefined ? {} : { clock }) });
    const [here, there] = native.socketPair();
    this.fd = there;
    this.link = this.host.connect({
      fd: here,
      plugin: "hostile",
      onViolation: (error) => this.violations.push(error),
    });
    this.link.register(this.types);
  }

  static async start(limits: Partial<TensorLimits> = {}, clock?: Clock): Promise<RawPeer> {
    return new RawPeer(await testNative(), limits, clock);
  }

  say(kind: number, values: readonly number[] = [], flags = 0, passFd = -1): void {
    this.native.send(this.fd, rawMessage(kind, values, flags), passFd);
  }

  /** The next message of the host, as soon as it comes. */
  async hear(): Promise<RawMessage> {
    const buffer = new Uint8Array(40);
    for (;;) {
      const message = this.native.receive(this.fd, buffer);
      if (message === null) {
        await this.native.readable(this.fd);
        continue;
      }
      if (message.bytes === 0) throw new Error("The host closed the channel");
      const view = new DataView(buffer.buffer);
      const [id = 0, a = 0, b = 0, c = 0] = [8, 16, 24, 32].map((at) => view.getFloat64(at, true));
      return { kind: view.getUint32(0, true), flags: view.getUint32(4, true), id, a, b, c, fd: message.fd };
    }
  }

  /** Ask for memory as a guest does. */
  async ask(bytes: number): Promise<RawMessage> {
    this.say(KIND.request, [1, bytes]);
    return await this.hear();
  }

  async askArena(): Promise<RawMessage> {
    this.say(KIND.request, [1, 0], 1);
    return await this.hear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.link[Symbol.asyncDispose]();
    this.native.close(this.fd);
    this.host[Symbol.dispose]();
    this.native[Symbol.dispose]();
  }
}

/** How many descriptors of memory this process has open. */
export function memoryDescriptors(): number {
  return fdTargets("self").filter((target) => target.startsWith("/memfd:cordon")).length;
}
