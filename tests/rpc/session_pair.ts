/**
 * Two open sessions, over memory or a socket, that fail on disposal when anything was leaked.
 *
 * @module
 */

import assert from "node:assert/strict";
import { RpcSession, type RpcSessionOptions } from "../../src/rpc/mod.ts";
import { type FrameTransport, memoryTransportPair, socketTransport } from "../../src/transport/mod.ts";

/** Which transport joins the pair. */
export type Joint = "memory" | "socket";

/** Host and guest, both open. */
export interface SessionPair extends AsyncDisposable {
  readonly host: RpcSession;
  readonly guest: RpcSession;
}

type EndOptions = Partial<Omit<RpcSessionOptions, "role">>;

/**
 * Join and open two sessions.
 *
 * @param options What differs from the defaults at each end.
 * @param joint Which transport joins them.
 * @returns Both ends; disposing closes them.
 */
export async function sessionPair(
  options: { readonly host?: EndOptions; readonly guest?: EndOptions; readonly both?: EndOptions } = {},
  joint: Joint = "memory",
): Promise<SessionPair> {
  const [left, right] = joint === "memory" ? memoryTransportPair() : await socketTransportPair();
  const host = new RpcSession(left, {
    role: "host",
    token: "t",
    name: "guest",
    ...options.both,
    ...options.host,
  });
  const guest = new RpcSession(right, {
    role: "guest",
    token: "t",
    name: "host",
    ...options.both,
    ...options.guest,
  });
  await Promise.all([host.start(), guest.start()]);
  return {
    host,
    guest,
    async [Symbol.asyncDispose]() {
      await host[Symbol.asyncDispose]();
      await guest.closed;
      for (
        const { pendingOut, pendingIn, exported, imported, streamsOut, streamsIn, signalsOut, signalsIn } of [
          host.stats(),
          guest.stats(),
        ]
      ) {
        assert.deepEqual(
          [pendingOut, pendingIn, exported, imported, streamsOut, streamsIn, signalsOut, signalsIn],
          [0, 0, 0, 0, 0, 0, 0, 0],
        );
      }
    },
  };
}

/**
 * Two transports over a Unix socket.
 *
 * @returns Both ends.
 */
export async function socketTransportPair(): Promise<[FrameTransport, FrameTransport]> {
  const [left, right] = await connectionPair();
  return [socketTransport(left), socketTransport(right)];
}

/**
 * Two connected Unix sockets.
 *
 * @returns Both ends; owned by the caller.
 */
export async function connectionPair(): Promise<[Deno.UnixConn, Deno.UnixConn]> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-rpc-" });
  const path = `${directory}/s`;
  const listener = Deno.listen({ transport: "unix", path });
  const [left, right] = await Promise.all([listener.accept(), Deno.connect({ transport: "unix", path })]);
  listener.close();
  await Deno.remove(directory, { recursive: true });
  return [left, right];
}
