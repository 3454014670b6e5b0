/**
 * A host with a service, and a raw guest that attacks it.
 *
 * @module
 */

import { handle } from "../../src/proxy/mod.ts";
import { Kind } from "../../src/rpc/messages.ts";
import type { RpcFunction, RpcSessionOptions } from "../../src/rpc/mod.ts";
import { rawGuest, type RawPeer } from "./raw_peer.ts";
import { until } from "./until.ts";

const service = new Map<string, RpcFunction>([
  ["echo", (value: unknown) => value],
  ["page", () => handle({ title: () => "x" })],
  ["wait", () => new Promise(() => {})],
]);

/**
 * The host and its attacker, greeted.
 *
 * @param options Of the host.
 * @returns Both ends.
 */
export async function peer(options: Partial<RpcSessionOptions> = {}): Promise<RawPeer> {
  const raw = await rawGuest(options);
  raw.session.expose("svc", service);
  return raw;
}

/**
 * The session answers an ordinary call: what came before did it no harm.
 *
 * @param raw The attacker's end.
 * @param id Of the call.
 */
export async function assertAlive(raw: RawPeer, id = 1000): Promise<void> {
  raw.send(Kind.call, id, 0, "svc", "echo", ["alive"]);
  await until(() => raw.received.some((message) => message[0] === Kind.result && message[1] === id));
}
