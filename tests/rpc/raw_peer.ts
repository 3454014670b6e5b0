/**
 * A peer that sends whatever a test wants: messages, or bytes.
 *
 * @module
 */

import { ExtData } from "@msgpack/msgpack";
import { RpcSession, type RpcSessionOptions } from "../../src/rpc/mod.ts";
import { Kind, PROTOCOL_VERSION } from "../../src/rpc/messages.ts";
import { type FrameTransport, memoryTransportPair } from "../../src/transport/mod.ts";
import { foreignDecode, foreignEncode } from "./msgpack_extensions.ts";

/** A real session, and the raw end of its connection. */
export interface RawPeer extends AsyncDisposable {
  readonly session: RpcSession;
  readonly wire: FrameTransport;
  /** What the session sent, decoded. */
  readonly received: unknown[][];
  /** Send a message. */
  send(...message: unknown[]): void;
  /** Resolves with why the session closed. */
  closed(): Promise<Error | null>;
}

/** The array marker of PROTOCOL.md. */
export function marker(letter: string): ExtData {
  return new ExtData(2, new TextEncoder().encode(letter));
}

/**
 * Encode one message.
 *
 * @param message Any array.
 * @returns The payload of a frame.
 */
export function payload(message: readonly unknown[]): Uint8Array {
  return foreignEncode(message);
}

/**
 * A host that greeted a raw guest.
 *
 * @param options Of the host.
 * @param greet Send the hello.
 * @returns Both ends.
 */
export async function rawGuest(options: Partial<RpcSessionOptions> = {}, greet = true): Promise<RawPeer> {
  const [left, wire] = memoryTransportPair();
  const session = new RpcSession(left, { role: "host", token: "t", name: "guest", ...options });
  const received: unknown[][] = [];
  wire.start({
    onFrame: (frame) => void received.push(foreignDecode(frame) as unknown[]),
    onClosed: () => {},
  });
  const started = session.start();
  if (greet) {
    wire.send(payload([Kind.hello, PROTOCOL_VERSION, "t", {}, {}]));
    await started;
  } else started.catch(() => undefined);
  return {
    session,
    wire,
    received,
    send: (...message) => wire.send(payload(message)),
    closed: () => session.closed,
    async [Symbol.asyncDispose]() {
      await session[Symbol.asyncDispose]();
      wire.close();
    },
  };
}
