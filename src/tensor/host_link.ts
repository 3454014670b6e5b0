/**
 * The host's end of shared memory with one plugin. It trusts nothing that comes in and never waits for it.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { Arena } from "./arena.ts";
import {
  type Channel,
  FLAG_ARENA,
  FLAG_PRIVATE,
  type IncomingMessage,
  MessageKind,
  Purpose,
} from "./channel.ts";
import { ExpiredLeases } from "./expired_leases.ts";
import { type HostMemory, Region } from "./host_memory.ts";
import { Leases } from "./leases.ts";
import { type LinkAccess, linkAccess, type LinkExtension } from "./link_extension.ts";
import { asPressure, MemoryBudget, pressure } from "./memory_budget.ts";
import type { Place } from "./place.ts";
import { inlinePlace, receiveInline, type TensorPort } from "./port.ts";
import { SharedHold, Storage } from "./storage.ts";
import type { Clock, TensorLimits, ValueContext } from "./types.ts";

/** What a link is made of. */
export interface HostLinkParts {
  /** Shared memory of the host. */
  readonly memory: HostMemory;
  /** This end of the channel, which the link owns. */
  readonly channel: Channel;
  /** Bounds. */
  readonly limits: TensorLimits;
  /** Time. */
  readonly clock: Clock;
  /** Name of the plugin, for messages. */
  readonly plugin: string;
  /** The plugin broke the protocol. The link is closed already. */
  readonly onViolation: (error: ProtocolError) => void;
}

/** Memory that the plugin can name. */
interface Grant {
  readonly region: Region;
  /** The plugin asked for it, so it may give it away. */
  readonly isMade: boolean;
}

/** An arena and what keeps it: tensors that lie in it too, also when the plugin is gone. */
interface HeldArena {
  readonly arena: Arena;
  readonly hold: SharedHold;
}

/** Messages that are read before everybody else gets a turn. */
const MESSAGES_A_TURN = 256;

/** One plugin's share of the host's memory. */
export class HostLink implements TensorPort {
  readonly arrayBytes: number;
  readonly #parts: HostLinkParts;
  readonly #memory: HostMemory;
  readonly #channel: Channel;
  readonly #budget: MemoryBudget;
  readonly #mapped: MemoryBudget;
  readonly #leases: Leases;
  readonly #grants = new Map<number, Grant>();
  readonly #expired = new ExpiredLeases();
  readonly #live = new Set<number>();
  #lastGrant = 0;
  #made = 0;
  #hostArena: HeldArena | null = null;
  #guestArena: HeldArena | null = null;
  #isOpen = true;
  readonly #access: LinkAccess;
  #extension: LinkExtension | null = null;
  /** Settles when the last wait for a message has ended. */
  readonly finished: Promise<void>;

  /**
   * @param parts What it is made of.
   */
  constructor(parts: HostLinkParts) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#channel = parts.channel;
    this.arrayBytes = parts.limits.arrayBytes;
    this.#budget = new MemoryBudget("pluginBytes", parts.limits.pluginBytes, parts.memory.budget);
    this.#mapped = new MemoryBudget("pluginBytes", parts.limits.pluginBytes);
    this.#leases = new Leases(
      parts.clock,
      parts.limits.retentionMs,
      (id) => this.#tell(MessageKind.expired, id),
    );
    this.#access = linkAccess({
      ...{ port: this, leases: this.#leases, expired: this.#expired, live: this.#live },
      ...{ native: parts.memory.native, channel: parts.channel },
      drain: () => this.#readMessages(),
      awaited: (find) => find(),
    });
    this.finished = this.#listen();
  }

  /** Let something else than host memory use the channel. Before the guest starts. */
  extend(make: (access: LinkAccess) => LinkExtension): void {
    this.#extension = make(this.#access);
  }

  /** What was sent and is the plugin's to release. */
  get leases(): Leases {
    return this.#leases;
  }

  lend(storage: Storage, context: ValueContext): Place {
    const region = storage.origin;
    return region instanceof Region
      ? this.#grantLent(region, context)
      : this.snapshot(storage.bytesView(), context);
  }

  give(storage: Storage, context: ValueContext): Place {
    const region = storage.origin;
    if (!(region instanceof Region) || region.isSealed || region.writers > 0 || storage.references > 1) {
      const place = this.snapshot(storage.bytesView(), context);
      storage.release();
      return place;
    }
    region.retain();
    try {
      storage.release();
      this.#memory.unmapShared(region);
      return this.#memory.seal(region) ? this.#grantLent(region, context) : this.#copyOf(region, context);
    } finally {
      region.release();
    }
  }

  snapshot(bytes: Uint8Array, context: ValueContext): Place {
    const { inlineBytes, regionBytes } = this.#parts.limits;
    if (bytes.byteLength < inlineBytes) return inlinePlace(bytes);
    if (bytes.byteLength < regionBytes) return this.#blockOf(bytes, context) ?? inlinePlace(bytes);
    const region = this.#memory.region(bytes.byteLength);
    try {
      // Only the plugin maps it, so it is not sealed: private mappings would count against its memory limit.
      this.#memory.native.fill(region.fd, 0, bytes);
      return this.#grantLent(region, context);
    } finally {
      region.release();
    }
  }

  receive(place: Place, bytes: number, isOwn: boolean, context: ValueContext): Storage {
    if (place.kind === "inline") return receiveInline(place, bytes);
    const storage = place.kind === "block"
      ? this.#receiveBlock(place, bytes, isOwn)
      : this.#receiveRegion(place, bytes, isOwn);
    context.rollback(() => storage.release());
    return storage;
  }

  /** The plugin is gone or going: everything that was its goes back. Idempotent. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#channel[Symbol.dispose]();
    this.#leases[Symbol.dispose]();
    this.#extension?.close();
    for (const { region, isMade } of this.#grants.values()) if (isMade) region.release();
    this.#grants.clear();
    this.#hostArena?.hold.release();
    this.#guestArena?.hold.release();
    this.#hostArena = this.#guestArena = null;
  }

  /**
   * The plugin broke the protocol: close, and say so.
   *
   * @param what What it did.
   * @param cause What was thrown.
   */
  end(what: string, cause?: unknown): void {
    if (!this.#isOpen) return;
    this.close();
    this.#parts.onViolation(cause instanceof ProtocolError ? cause : this.#broken(what, cause));
  }

  // --- sending

  /** The lease keeps the region; the caller keeps its own reference. */
  #grantLent(region: Region, context: ValueContext): Place {
    const grant = ++this.#lastGrant;
    const isWriter = !region.isSealed;
    region.retain();
    if (isWriter) {
      region.writers++;
      region.wasWritable = region.wasLent = true;
    }
    const end = (): void => {
      if (isWriter) region.writers--;
      this.#grants.delete(grant);
      region.release();
    };
    const lease = this.#leases.open({ release: end }, "released");
    context.rollback(() => this.#leases.cancel(lease));
    this.#grants.set(grant, { region, isMade: false });
    this.#sendGrant(grant, region, Purpose.lent, lease);
    return { kind: "region", grant, lease, isGiven: region.isSealed };
  }

  #sendGrant(grant: number, region: Region, purpose: number, about: number): void {
    const flags = region.isSealed ? FLAG_PRIVATE : 0;
    const message = { kind: MessageKind.grant, flags, id: grant, a: region.bytes, b: purpose, c: about };
    this.#channel.send(message, region.fd);
  }

  #copyOf(region: Region, context: ValueContext): Place {
    const shown = this.#memory.mapStorage(region.retain());
    try {
      return this.snapshot(shown.bytesView(), context);
    } finally {
      shown.release();
    }
  }

  #blockOf(bytes: Uint8Array, context: ValueContext): Place | null {
    const { arena } = this.#hostArena ??= this.#openArena(Purpose.hostArena, 0);
    const length = bytes.byteLength;
    const offset = arena.allocate(length);
    if (offset === null) return null;
    this.#memory.bytesAt(arena.offset + offset, length).set(bytes);
    const lease = this.#leases.open({ release: () => arena.free(offset, length) }, "released");
    context.rollback(() => this.#leases.cancel(lease));
    return { kind: "block", offset, lease };
  }

  #openArena(purpose: number, request: number): HeldArena {
    const region = this.#memory.region(this.#parts.limits.arenaBytes);
    const offset = this.#memory.mapArena(region);
    const { native } = this.#memory;
    const arena = new Arena(offset, region.bytes, (start, bytes) => native.discard(region.fd, start, bytes));
    this.#sendGrant(++this.#lastGrant, region, purpose, request);
    return { arena, hold: new SharedHold(region) };
  }

  // --- receiving

  #receiveBlock(place: Place & { kind: "block" }, bytes: number, isOwn: boolean): Storage {
    if (this.#guestArena === null) throw this.#broken("names a block of an arena that it does not have");
    const { arena, hold } = this.#guestArena;
    if (bytes === 0 || place.offset + bytes > arena.bytes) {
      throw this.#broken(`names ${bytes} bytes at ${place.offset} of an arena of ${arena.bytes}`);
    }
    const released = this.#access.take(place.lease);
    if (!isOwn) {
      hold.retain();
      return this.#memory.showBlock(arena.offset + place.offset, bytes, () => {
        released();
        hold.release();
      });
    }
    const own = Storage.local(bytes);
    own.bytesView().set(this.#memory.bytesAt(arena.offset + place.offset, bytes));
    released();
    return own;
  }

  #receiveRegion(place: Place & { kind: "region" }, bytes: number, isOwn: boolean): Storage {
    const grant = this.#grants.get(place.grant);
    if (grant === undefined) throw this.#broken(`names memory ${place.grant} that it does not have`);
    const { region } = grant;
    if (region.bytes !== bytes) throw this.#broken(`names ${bytes} bytes in memory of ${region.bytes}`);
    this.#expired.check(place.lease);
    if (place.isGiven) this.#takeOver(grant);
    const storage = this.#mapCounted(region);
    this.#channel.sendSoon({ kind: MessageKind.picked, id: place.lease });
    if (!isOwn || storage.isReadOnly) return storage;
    const own = Storage.local(bytes);
    own.bytesView().set(storage.bytesView());
    storage.release();
    return own;
  }

  /** What was given away must not change any more. The kernel refuses the seal as long as the plugin can write. */
  #takeOver({ region, isMade }: Grant): void {
    if (!isMade) throw this.#broken("gives away memory that it was lent");
    this.#memory.unmapShared(region);
    // While somebody else sees it, a tensor of this host or another plugin, the receiver gets a copy instead.
    if (region.isSealed || region.mapping !== null || region.wasLent) return;
    if (!this.#memory.seal(region)) throw this.#broken("gives memory away and keeps it");
  }

  #mapCounted(region: Region): Storage {
    const { bytes } = region;
    this.#mapped.take(bytes);
    try {
      return this.#memory.mapStorage(region.retain(), () => this.#mapped.give(bytes));
    } catch (error) {
      this.#mapped.give(bytes);
      throw error;
    }
  }

  // --- the channel

  async #listen(): Promise<void> {
    try {
      while (this.#isOpen && await this.#channel.readable()) this.#readMessages();
    } catch (cause) {
      this.close();
      const error = cause instanceof ProtocolError
        ? cause
        : this.#broken("broke the channel for memory", cause);
      this.#parts.onViolation(error);
    }
  }

  #readMessages(): void {
    for (let left = MESSAGES_A_TURN; left > 0; left--) {
      const message = this.#channel.receive();
      if (message === null) return;
      this.#heed(message);
    }
  }

  #heed(message: IncomingMessage): void {
    if (message.fd >= 0) {
      this.#memory.native.close(message.fd);
      throw this.#broken("sends a descriptor, which no plugin may");
    }
    switch (message.kind) {
      case MessageKind.request:
        return this.#answer(message);
      case MessageKind.giveBack:
        return this.#takeBack(message.id);
      case MessageKind.picked:
        return this.#leases.picked(message.id);
      case MessageKind.released:
        return this.#leases.released(message.id);
      case MessageKind.expired:
        if (this.#live.has(message.id)) return;
        this.#expired.add(message.id);
        return this.#tell(MessageKind.released, message.id);
      default:
        if (this.#extension?.heed(message) === true) return;
        throw this.#broken(`sends a message of unknown kind ${message.kind} about memory`);
    }
  }

  #answer({ id, a: bytes, flags }: IncomingMessage): void {
    const isArena = flags === FLAG_ARENA;
    if (isArena && this.#guestArena !== null) throw this.#broken("asks for a second arena");
    try {
      if (isArena) this.#guestArena = this.#openArena(Purpose.guestArena, id);
      else this.#grantMade(id, bytes);
    } catch (error) {
      const { asked, free, allowed } = asPressure(error, bytes, this.#parts.limits.pluginBytes);
      this.#channel.send({ kind: MessageKind.refuse, id, a: asked, b: free, c: allowed });
    }
  }

  #grantMade(request: number, bytes: number): void {
    const { pluginRegions, pluginBytes } = this.#parts.limits;
    if (this.#made >= pluginRegions) throw pressure("pluginRegions", bytes, 0, pluginBytes);
    if (bytes < 1) throw pressure("pluginBytes", bytes, 0, pluginBytes);
    const region = this.#memory.region(bytes, this.#budget);
    const grant = ++this.#lastGrant;
    region.wasWritable = true;
    this.#made++;
    this.#grants.set(grant, { region, isMade: true });
    this.#sendGrant(grant, region, Purpose.made, request);
  }

  #takeBack(id: number): void {
    const grant = this.#grants.get(id);
    if (grant?.isMade !== true) throw this.#broken(`gives back memory ${id} that it did not ask for`);
    this.#grants.delete(id);
    this.#made--;
    grant.region.release();
  }

  #tell(kind: number, id: number): void {
    this.#channel.send({ kind, id });
  }

  #broken(what: string, cause?: unknown): ProtocolError {
    return new ProtocolError(`Cannot share memory with "${this.#parts.plugin}" as it ${what}`, { cause });
  }
}
