/**
 * What else than host memory may use a link's channel and leases.
 *
 * @module
 */

import { type Channel, type ChannelMessage, type IncomingMessage, MessageKind } from "./channel.ts";
import type { ExpiredLeases } from "./expired_leases.ts";
import type { Leases } from "./leases.ts";
import type { TensorPort } from "./port.ts";

/** One end of a link, as extensions see it. */
export interface LinkAccess {
  /** Hands host memory over. */
  readonly port: TensorPort;
  /** What was sent and is the peer's to release. */
  readonly leases: Leases;
  /** Send a message, with a descriptor unless it is negative; it must stay open until the peer has answered. */
  send(message: ChannelMessage, fd?: number): void;
  /** Read what has come in by now. */
  drain(): void;
  /** Read messages until there is what was looked for, for a bounded time; a host does not wait. */
  awaited<T>(find: () => T | null): T | null;
  /**
   * Something that came with a lease is taken.
   *
   * @param lease Its number.
   * @returns To be called when it is not needed any more.
   * @throws {ProtocolError} If notice was given for it meanwhile.
   */
  take(lease: number): () => void;
  /** Close a descriptor. */
  close(fd: number): void;
}

/** Answers messages that are not about host memory. */
export interface LinkExtension {
  /**
   * A message came in, whose descriptor belongs to the extension if it takes it.
   *
   * @param message The message.
   * @returns Whether it is the extension's.
   * @throws {ProtocolError} If it breaks the rules.
   */
  heed(message: IncomingMessage): boolean;
  /** The peer lets go of what it sent as a lease and nobody took. */
  expired(lease: number): void;
  /** The peer is gone. */
  close(): void;
}

/** What an end of a link is made of, as far as extensions are concerned. */
export interface LinkAccessParts extends Pick<LinkAccess, "port" | "leases" | "drain" | "awaited"> {
  readonly native: { close(fd: number): void };
  readonly channel: Channel;
  readonly expired: ExpiredLeases;
  /** Leases that something here depends on. */
  readonly live: Set<number>;
}

/**
 * One end of a link for its extensions.
 *
 * @param parts What it is made of.
 * @returns What they may use.
 */
export function linkAccess({ native, channel, expired, live, ...rest }: LinkAccessParts): LinkAccess {
  return {
    ...rest,
    close: (fd) => native.close(fd),
    send: (message, fd) => channel.send(message, fd),
    take(lease) {
      expired.check(lease);
      live.add(lease);
      channel.send({ kind: MessageKind.picked, id: lease });
      return () => {
        live.delete(lease);
        channel.sendSoon({ kind: MessageKind.released, id: lease });
      };
    },
  };
}
