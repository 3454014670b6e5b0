/**
 * What each kind of message does. The one place that says which kinds exist, and who may send them when.
 *
 * @module
 */

import { ProtocolError } from "../errors.ts";
import { announcedLimits, exportDescriptions } from "./export_descriptions.ts";
import { Kind, kindName, PROTOCOL_VERSION, type RawMessage } from "./messages.ts";
import type { SessionCore } from "./session_core.ts";
import { isSameToken } from "./token.ts";
import type { LoadSpec, RpcLimits } from "./types.ts";

/**
 * Act on a message of the peer.
 *
 * @param core Of the session.
 * @param message Decoded, hostile.
 * @param needsRevival Its values hold markers or binaries.
 * @param bytes Size of its frame.
 * @throws {ProtocolError} If PROTOCOL.md does not allow it here and now.
 */
export function dispatch(core: SessionCore, message: RawMessage, needsRevival: boolean, bytes: number): void {
  const kind = message[0];
  if (core.state === "greeting") return greet(core, message);
  switch (kind) {
    case Kind.call:
      return core.incoming.serve(message, needsRevival, bytes);
    case Kind.result:
      return result(core, message, needsRevival);
    case Kind.error:
      return failure(core, message, needsRevival);
    case Kind.cancel:
      return core.incoming.cancel(message[1], reason(core, message[2], needsRevival));
    case Kind.progress:
      return progress(core, message, needsRevival);
    case Kind.item:
      return item(core, message, needsRevival, bytes);
    case Kind.end:
      return end(core, message, needsRevival);
    case Kind.credit:
      return core.streams.credit(message[1], message[2]);
    case Kind.stop:
      return core.streams.stop(message[1], reason(core, message[2], needsRevival));
    case Kind.release:
      return release(core, message[1]);
    case Kind.event:
      return event(core, message, needsRevival);
    case Kind.ping:
      return core.answers.control([Kind.pong, integer(message[1])]);
    case Kind.pong:
      return pong(core, message[1]);
    case Kind.abort:
      return core.signals.abort(message[1], reason(core, message[2], needsRevival));
    case Kind.close:
      void core.peerGone(refusal(core, "Cannot go on", message[1]));
      return;
    default:
      return core.options.role === "host"
        ? fromGuest(core, message, needsRevival)
        : fromHost(core, message, needsRevival);
  }
}

/** The first message decides whether there is a session at all. */
function greet(core: SessionCore, message: RawMessage): void {
  const isHost = core.options.role === "host";
  const [kind, version] = message;
  if (kind === Kind.close) return void core.peerGone(refusal(core, "Cannot begin a session", message[1]));
  if (kind !== (isHost ? Kind.hello : Kind.welcome)) {
    throw new ProtocolError(`Cannot begin a session as a hello comes first: it was ${kindName(kind)}`);
  }
  if (version !== PROTOCOL_VERSION) {
    throw new ProtocolError(
      `Cannot begin a session as the protocol version is ${PROTOCOL_VERSION}: the peer speaks ${
        String(version)
      }`,
    );
  }
  if (isHost && !isSameToken(core.options.token, message[2])) {
    throw new ProtocolError("Cannot begin a session as the token must be the sandbox's own: it is not");
  }
  const limits = announcedLimits(message[isHost ? 4 : 2], core.limits);
  const runtime = isHost ? record(message[3]) : {};
  obey(core, limits);
  core.state = "open";
  if (isHost) core.answers.control([Kind.welcome, PROTOCOL_VERSION, core.limits]);
  core.greeting.resolve({ version: PROTOCOL_VERSION, runtime, limits });
}

/** What the peer accepts bounds what we send. */
function obey(core: SessionCore, peer: Partial<RpcLimits>): void {
  const both = (key: keyof RpcLimits) => Math.min(core.limits[key], peer[key] ?? core.limits[key]);
  core.outgoing.maxInFlight = peer.maxInFlight ?? core.limits.maxInFlight;
  core.sender.limits = {
    maxNesting: both("maxNesting"),
    maxValues: both("maxValues"),
    maxFrameBytes: peer.maxFrameBytes ?? core.limits.maxFrameBytes,
  };
  core.streams.peerWindow = {
    streamWindowItems: both("streamWindowItems"),
    streamWindowBytes: both("streamWindowBytes"),
  };
}

function result(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  const call = core.outgoing.take(message[1]);
  let value: unknown;
  try {
    if (needsRevival) core.streams.awaitedCall = core.outgoing.streamsOf(call);
    if (call.isAbandoned) {
      dropped(core, message[2], needsRevival);
    } else value = revived(core, message[2], needsRevival, "$.result");
    if (call.kind === "load") {
      throw new ProtocolError(`Cannot take a result as call ${call.id} was a load: it wants ready`);
    }
  } catch (error) {
    core.outgoing.fail(call, error);
    if (error instanceof ProtocolError) throw error;
    return;
  } finally {
    core.streams.awaitedCall = undefined;
    core.outgoing.answered(call);
  }
  if (!call.isAbandoned) call.resolve(value);
}

function ready(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  const call = core.outgoing.take(message[1]);
  try {
    const exports = exportDescriptions(revived(core, message[2], needsRevival, "$.exports"));
    if (call.kind !== "load") {
      throw new ProtocolError(`Cannot take ready as call ${call.id} was no load: it wants a result`);
    }
    if (!call.isAbandoned) call.resolve(exports);
  } catch (error) {
    core.outgoing.fail(call, error);
    throw error;
  }
}

function failure(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  const call = core.outgoing.take(message[1]);
  core.outgoing.answered(call);
  try {
    core.outgoing.fail(call, revived(core, message[2], needsRevival, "$.error"));
  } catch (error) {
    core.outgoing.fail(call, error);
    if (error instanceof ProtocolError) throw error;
  }
}

function progress(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  const listener = core.outgoing.progressOf(message[1]);
  unawaited(core, "onProgress", () => {
    if (listener === undefined) dropped(core, message[2], needsRevival);
    else listener(revived(core, message[2], needsRevival, "$.progress"));
  });
}

function item(core: SessionCore, message: RawMessage, needsRevival: boolean, bytes: number): void {
  const inbox = core.streams.inbox(message[1]);
  let value: unknown;
  try {
    value = revived(core, message[2], needsRevival, "$.item");
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return inbox.cancel(undefined, error as Error);
  }
  core.streams.push(inbox, value, bytes);
}

function end(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  const inbox = core.streams.inbox(message[1]);
  let value: unknown;
  try {
    value = revived(core, message[3], needsRevival, "$.end");
  } catch (error) {
    inbox.finish({ error });
    if (error instanceof ProtocolError) throw error;
    return;
  }
  inbox.finish(message[2] === true ? { error: value } : { value });
}

function release(core: SessionCore, pairs: unknown): void {
  if (!Array.isArray(pairs) || pairs.length % 2 !== 0) {
    throw new ProtocolError("Cannot release references as PROTOCOL.md wants pairs: an element is missing");
  }
  for (let index = 0; index < pairs.length; index += 2) {
    core.references.takeBack(integer(pairs[index]), integer(pairs[index + 1]));
  }
}

function event(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  if (typeof message[1] !== "string") {
    throw new ProtocolError("Cannot take an event as its name must be text: it is not");
  }
  const name = message[1];
  unawaited(core, `event "${name.slice(0, 80)}"`, () => {
    if (core.events.isHeard(name)) {
      core.events.dispatch(name, revived(core, message[2], needsRevival, "$.payload"));
    } else {
      core.events.missed();
      dropped(core, message[2], needsRevival);
    }
  });
}

function pong(core: SessionCore, id: unknown): void {
  const answered = core.pings.get(integer(id));
  if (answered === undefined) {
    throw new ProtocolError(`Cannot take a pong as ping ${String(id)} is not open: it is unknown`);
  }
  core.pings.delete(id as number);
  answered();
}

function fromGuest(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  switch (message[0]) {
    case Kind.ready:
      return ready(core, message, needsRevival);
    case Kind.goodbye: {
      const code = integer(message[1]);
      core.options.onGoodbye?.(code);
      if (core.state === "stopping") core.goodbye.resolve(code);
      else void core.peerGone();
      return;
    }
    default:
      throw unknownKind(message[0], "a guest");
  }
}

function fromHost(core: SessionCore, message: RawMessage, needsRevival: boolean): void {
  switch (message[0]) {
    case Kind.load: {
      const id = core.incoming.newId(message[1]);
      void load(core, id, record(revived(core, message[2], needsRevival)) as LoadSpec);
      return;
    }
    case Kind.shutdown:
      void stop(core, integer(message[1]));
      return;
    default:
      throw unknownKind(message[0], "a host");
  }
}

async function load(core: SessionCore, id: number, spec: LoadSpec): Promise<void> {
  try {
    if (core.options.onLoad === undefined) {
      throw new TypeError("Cannot load a module as this session has no loader: it has none");
    }
    core.answers.sendValue(Kind.ready, id, await core.options.onLoad(spec), "$.exports");
    core.options.onLoaded?.();
  } catch (error) {
    core.answers.replyError(id, error);
  }
}

async function stop(core: SessionCore, graceMs: number): Promise<void> {
  let code = 0;
  try {
    code = await core.options.onShutdown?.(graceMs) ?? 0;
  } catch (error) {
    core.handlerFailed(error, "onShutdown");
    code = 1;
  }
  await core.sayGoodbye(code);
}

function revived(core: SessionCore, value: unknown, needsRevival: boolean, root = "$"): unknown {
  return needsRevival ? core.reader.read(value, root) : value;
}

/** Nobody wants a value: streams and references in it are given back, as their owner counts them. */
function dropped(core: SessionCore, value: unknown, needsRevival: boolean): void {
  if (needsRevival) core.reader.discard(value);
}

/** Nobody waits for what `act` does: a value that cannot be made, or a listener that throws, is reported. */
function unawaited(core: SessionCore, where: string, act: () => void): void {
  try {
    act();
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    core.handlerFailed(error, where);
  }
}

/** Why a peer gave up; that it did counts even if the reason cannot be made. */
function reason(core: SessionCore, value: unknown, needsRevival: boolean): unknown {
  try {
    return revived(core, value, needsRevival, "$.reason");
  } catch (error) {
    if (error instanceof ProtocolError) throw error;
    return error;
  }
}

function integer(value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw new ProtocolError("Cannot read a message as one of its fields must be an integer: it is not");
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new ProtocolError("Cannot read a message as one of its fields must be a map: it is not");
}

function refusal(core: SessionCore, what: string, reason: unknown): ProtocolError {
  return new ProtocolError(`${what} as ${core.name} refused: ${String(reason).slice(0, 1024)}`);
}

function unknownKind(kind: unknown, sender: string): ProtocolError {
  return new ProtocolError(
    `Cannot read a message as PROTOCOL.md lists what ${sender} may send: it is ${kindName(kind)}`,
  );
}
