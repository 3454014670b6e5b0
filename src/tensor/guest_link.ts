/**
 * A guest's end of shared memory with its host.
 *
 * @module
 */

import { MemoryPressureError, ProtocolError } from "../errors.ts";
import type { Native } from "../native/types.ts";
import {
  type Channel,
  FLAG_ARENA,
  FLAG_PRIVATE,
  type IncomingMessage,
  MessageKind,
  Purpose,
} from "./channel.ts";
import { Arena } from "./arena.ts";
import { ExpiredLeases } from "./expired_leases.ts";
import { GuestBlock, type GuestMemory, GuestRegion, type PendingGrant } from "./guest_memory.ts";
import { Leases } from "./leases.ts";
import { type LinkAccess, linkAccess, type LinkExtension } from "./link_extension.ts";
import { Lookout, type Outlook } from "./lookout.ts";
import { pressure } from "./memory_budget.ts";
import type { Place } from "./place.ts";
import { inlinePlace, receiveInline, type TensorPort } from "./port.ts";
import { SharedHold, Storage } from "./storage.ts";
import type { Clock, TensorLimits, ValueContext } from "./types.ts";

/** What a link is made of; the link owns the channel. */
export interface GuestLinkParts {
  readonly native: Native;
  readonly memory: GuestMemory;
  readonly channel: Channel;
  readonly limits: TensorLimits;
  readonly clock: Clock;
}

/** The guest's own arena, with the descriptor by which pages go back. */
interface OwnArena {
  readonly fd: number;
  readonly arena: Arena;
}

type Answer = { readonly granted: IncomingMessage } | { readonly refused: IncomingMessage };

/** Without memory left at the host, arrays up to this size go in the message. */
const INLINE_RESCUE_BYTES = 8 * 2 ** 20;

/** Memory between this guest and its host. */
export class GuestLink implements TensorPort {
  readonly arrayBytes: number;
  readonly #parts: GuestLinkParts;
  readonly #leases: Leases;
  readonly #lookout: Lookout;
  readonly #pending = new Map<number, PendingGrant>();
  readonly #answers = new Map<number, Answer>();
  readonly #expired = new ExpiredLeases();
  readonly #live = new Set<number>();
  /** Grants that were given away and not taken yet. */
  readonly #given = new Set<number>();
  #lastRequest = 0;
  #arena: OwnArena | null = null;
  #hostArena: { readonly offset: number; readonly bytes: number } | null = null;
  readonly #access: LinkAccess;
  #extension: LinkExtension | null = null;

  /**
   * @param parts What it is made of.
   */
  constructor(parts: GuestLinkParts) {
    this.#parts = parts;
    this.arrayBytes = parts.limits.arrayBytes;
    this.#lookout = new Lookout(parts.clock, () => this.#look());
    this.#leases = new Leases(
      parts.clock,
      parts.limits.retentionMs,
      (id) => this.#tell(MessageKind.expired, id),
    );
    this.#access = linkAccess({
      ...{ port: this, leases: this.#leases, expired: this.#expired, live: this.#live },
      ...{ native: parts.native, channel: parts.channel },
      drain: () => this.drain(),
      awaited: (find) => find() ?? this.#awaited(find),
    });
  }

  /** Let something else than host memory use the channel. */
  extend(make: (access: LinkAccess) => LinkExtension): void {
    this.#extension = make(this.#access);
  }

  /** What was sent and is the host's to release. */
  get leases(): Leases {
    return this.#leases;
  }

  /** Read what the host has said about memory, and look again from time to time. */
  drain(): void {
    this.#readMessages();
    this.#lookout.alert();
  }

  #readMessages(): void {
    for (let next = this.#parts.channel.receive(); next !== null; next = this.#parts.channel.receive()) {
      this.#heed(next);
    }
  }

  /**
   * Memory for a new tensor.
   *
   * @param bytes Its size.
   * @param isShared It gets shared memory of its own even if it is small.
   * @returns The bytes, all 0.
   * @throws {MemoryPressureError} If the host has none.
   */
  storage(bytes: number, isShared: boolean): Storage {
    const { inlineBytes, regionBytes } = this.#parts.limits;
    if (bytes === 0) return Storage.local(0);
    if (isShared || bytes >= regionBytes) return this.#newRegion(bytes);
    return bytes < inlineBytes ? Storage.local(bytes) : this.#newBlock(bytes) ?? Storage.local(bytes);
  }

  lend(storage: Storage, context: ValueContext): Place {
    this.drain();
    const { origin } = storage;
    if (origin instanceof GuestRegion && !(storage.isReadOnly && origin.isMade)) {
      return this.#regionPlace(origin, false, context);
    }
    if (origin instanceof GuestBlock && !storage.isReadOnly) return this.#blockPlace(origin, context);
    return this.snapshot(storage.bytesView(), context);
  }

  give(storage: Storage, context: ValueContext): Place {
    const { origin } = storage;
    if (
      !(origin instanceof GuestRegion) || !origin.isMade || origin.hold.references > 1 ||
      storage.references > 1
    ) {
      const place = this.snapshot(storage.bytesView(), context);
      storage.release();
      return place;
    }
    this.drain();
    return this.#giveRegion(storage, origin, context);
  }

  snapshot(bytes: Uint8Array, context: ValueContext): Place {
    const { inlineBytes, regionBytes } = this.#parts.limits;
    if (bytes.byteLength < inlineBytes) return inlinePlace(bytes);
    this.drain();
    try {
      const isSmall = bytes.byteLength < regionBytes;
      const storage = isSmall
        ? this.#newBlock(bytes.byteLength)
        : this.#newRegion(bytes.byteLength, "filled");
      if (storage === null) return inlinePlace(bytes);
      storage.bytesView().set(bytes);
      if (storage.origin instanceof GuestRegion) return this.#giveRegion(storage, storage.origin, context);
      const place = this.#blockPlace(storage.origin as GuestBlock, context);
      storage.release();
      return place;
    } catch (error) {
      if (error instanceof MemoryPressureError && bytes.byteLength <= INLINE_RESCUE_BYTES) {
        return inlinePlace(bytes);
      }
      throw error;
    }
  }

  receive(place: Place, bytes: number, isOwn: boolean, context: ValueContext): Storage {
    this.drain();
    if (place.kind === "inline") return receiveInline(place, bytes);
    const isBlock = place.kind === "block";
    const storage = isBlock ? this.#receiveBlock(place, bytes, isOwn) : this.#receiveRegion(place, bytes);
    context.rollback(() => storage.release());
    return storage;
  }

  /** The host is gone or this process is about to end. */
  close(): void {
    this.#lookout.stop();
    const { native } = this.#parts;
    this.#leases[Symbol.dispose]();
    for (const { fd } of this.#pending.values()) native.close(fd);
    this.#pending.clear();
    this.#extension?.close();
    if (this.#arena !== null) native.close(this.#arena.fd);
    this.#arena = null;
    this.#parts.channel[Symbol.dispose]();
  }

  #look(): Outlook {
    this.#readMessages();
    if (!this.#parts.channel.isOpen) return "over";
    return this.#leases.size === 0 && this.#pending.size === 0 ? "idle" : "busy";
  }

  // --- sending

  #regionPlace(region: GuestRegion, isGiven: boolean, context: ValueContext): Place {
    const lease = this.#leases.open(region.hold.retain(), "picked");
    context.rollback(() => this.#leases.cancel(lease));
    return { kind: "region", grant: region.grant, lease, isGiven };
  }

  /** Unmapped before the host hears of it, since it seals; kept by name until the host has its own hold. */
  #giveRegion(storage: Storage, region: GuestRegion, context: ValueContext): Place {
    const giveBack = (): void => this.#tellSoon(MessageKind.giveBack, region.grant);
    const lease = this.#leases.open({ release: giveBack }, "picked");
    this.#given.add(region.grant);
    storage.release();
    context.rollback(() => this.#leases.cancel(lease));
    return { kind: "region", grant: region.grant, lease, isGiven: true };
  }

  #blockPlace(block: GuestBlock, context: ValueContext): Place {
    const lease = this.#leases.open(block.hold.retain(), "released");
    context.rollback(() => this.#leases.cancel(lease));
    return { kind: "block", offset: block.offset, lease };
  }

  // --- receiving

  #receiveBlock(place: Place & { kind: "block" }, bytes: number, isOwn: boolean): Storage {
    const arena = this.#hostArena ?? this.#awaited(() => this.#hostArena);
    if (arena === null || bytes === 0 || place.offset + bytes > arena.bytes) {
      throw new ProtocolError(
        `Cannot use ${bytes} bytes at ${place.offset} of the host's arena as it does not have them`,
      );
    }
    const release = this.#access.take(place.lease);
    if (!isOwn) return this.#parts.memory.show(arena.offset + place.offset, bytes, { hold: { release } });
    const own = Storage.local(bytes);
    own.bytesView().set(this.#parts.memory.bytesAt(arena.offset + place.offset, bytes));
    release();
    return own;
  }

  #receiveRegion(place: Place & { kind: "region" }, bytes: number): Storage {
    this.#expired.check(place.lease);
    const find = (): PendingGrant | null => this.#pending.get(place.grant) ?? null;
    const pending = find() ?? this.#awaited(find);
    if (pending === null || pending.bytes !== bytes || pending.lease !== place.lease) {
      throw new ProtocolError(
        `Cannot use memory ${place.grant} as the host did not grant ${bytes} bytes of it`,
      );
    }
    this.#pending.delete(place.grant);
    try {
      const facts = this.#parts.native.regionFacts(pending.fd);
      if (place.isGiven && !facts.isWriteSealed && !facts.isFutureWriteSealed) {
        throw new ProtocolError("Cannot take a tensor as given as it must be sealed: it is not");
      }
      if (facts.bytes !== bytes) {
        throw new ProtocolError(`Cannot make a tensor of ${bytes} bytes as the memory has ${facts.bytes}`);
      }
      return this.#showRegion(place, pending);
    } finally {
      this.#parts.native.close(pending.fd);
    }
  }

  #showRegion(place: Place & { kind: "region" }, pending: PendingGrant): Storage {
    const { memory } = this.#parts;
    const { lease, grant } = place;
    const { offset, hold } = memory.map(
      pending.fd,
      pending.bytes,
      pending.isPrivate ? "private" : "shared",
      () => {
        this.#live.delete(lease);
        this.#tellSoon(MessageKind.released, lease);
      },
    );
    this.#live.add(lease);
    this.#tellSoon(MessageKind.picked, lease);
    const origin = new GuestRegion(grant, pending.bytes, false, hold);
    return memory.show(offset, pending.bytes, { hold, origin, isReadOnly: pending.isPrivate });
  }

  // --- making

  #newRegion(bytes: number, mode: "shared" | "filled" = "shared"): Storage {
    const message = this.#request(bytes, 0);
    const { memory, native } = this.#parts;
    const grant = message.id;
    try {
      const { offset, hold } = memory.map(message.fd, bytes, mode, () => {
        // What was given away goes back when the host has taken it.
        if (!this.#given.delete(grant)) this.#tellSoon(MessageKind.giveBack, grant);
      });
      return memory.show(offset, bytes, { hold, origin: new GuestRegion(grant, bytes, true, hold) });
    } finally {
      native.close(message.fd);
    }
  }

  #newBlock(bytes: number): Storage | null {
    const { arena } = this.#arena ??= this.#openArena();
    const offset = arena.allocate(bytes);
    if (offset === null) return null;
    const hold = new SharedHold({ release: () => arena.free(offset, bytes) });
    this.#parts.memory.bytesAt(arena.offset + offset, bytes).fill(0);
    return this.#parts.memory.show(arena.offset + offset, bytes, {
      hold,
      origin: new GuestBlock(offset, hold),
    });
  }

  #openArena(): OwnArena {
    const { fd, a: bytes } = this.#request(this.#parts.limits.arenaBytes, FLAG_ARENA);
    const { offset } = this.#parts.memory.map(fd, bytes, "shared", () => {});
    const discard = (start: number, length: number): void => {
      if (this.#arena !== null) this.#parts.native.discard(fd, start, length);
    };
    return { fd, arena: new Arena(offset, bytes, discard) };
  }

  /** Ask the host and wait: only this guest stands still meanwhile. */
  #request(bytes: number, flags: number): IncomingMessage {
    this.drain();
    const id = ++this.#lastRequest;
    this.#parts.channel.send({ kind: MessageKind.request, id, a: bytes, flags });
    const answer = this.#answers.get(id) ?? this.#awaited(() => this.#answers.get(id) ?? null);
    this.#answers.delete(id);
    if (answer === null) throw pressure("answerMs", bytes, 0, this.#parts.limits.answerMs);
    if ("refused" in answer) {
      const { a: asked, b: free, c: allowed } = answer.refused;
      throw pressure("pluginBytes", asked, free, allowed);
    }
    return answer.granted;
  }

  /** Read messages until there is what was looked for, for a bounded time. */
  #awaited<T>(find: () => T | null): T | null {
    const { channel, limits } = this.#parts;
    return channel.awaited(find, () => this.#readMessages(), limits.answerMs);
  }

  #heed(message: IncomingMessage): void {
    const { id } = message;
    switch (message.kind) {
      case MessageKind.grant:
        return this.#heedGrant(message);
      case MessageKind.refuse:
        this.#answers.set(id, { refused: message });
        return;
      case MessageKind.picked:
        return this.#leases.picked(id);
      case MessageKind.released:
        return this.#leases.released(id);
      case MessageKind.expired:
        return this.#heedExpired(id);
      default:
        if (this.#extension?.heed(message) === true) return;
        throw new ProtocolError(`Cannot read a message about memory as its kind is unknown: ${message.kind}`);
    }
  }

  #heedGrant(message: IncomingMessage): void {
    const { fd, a: bytes, b: purpose, c: about } = message;
    if (fd < 0) throw new ProtocolError("Cannot use a grant of memory as it came without a descriptor");
    if (purpose === Purpose.made || purpose === Purpose.guestArena) {
      this.#answers.set(about, { granted: message });
    } else if (purpose === Purpose.lent) {
      this.#pending.set(message.id, {
        fd,
        bytes,
        isPrivate: (message.flags & FLAG_PRIVATE) !== 0,
        lease: about,
      });
    } else {
      const { offset } = this.#parts.memory.map(fd, bytes, "shared", () => {});
      this.#hostArena = { offset, bytes };
      this.#parts.native.close(fd);
    }
  }

  #heedExpired(lease: number): void {
    if (this.#live.has(lease)) return;
    this.#extension?.expired(lease);
    for (const [grant, pending] of this.#pending) {
      if (pending.lease !== lease) continue;
      this.#parts.native.close(pending.fd);
      this.#pending.delete(grant);
    }
    this.#expired.add(lease);
    this.#tell(MessageKind.released, lease);
  }

  #tellSoon(kind: number, id: number): void {
    this.#parts.channel.sendSoon({ kind, id });
  }

  #tell(kind: number, id: number): void {
    this.#parts.channel.send({ kind, id });
  }
}
