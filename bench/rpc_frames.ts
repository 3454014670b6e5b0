/** MessagePack messages over Cordon's transport, for libraries that bring none. */

import { decode, encode } from "@msgpack/msgpack";
import { socketTransport } from "../src/transport/mod.ts";

/** Messages in both directions. */
export interface MessagePort {
  send(message: unknown): void;
  receive(): Promise<unknown>;
  onMessage: ((message: unknown) => void) | undefined;
  close(): void;
}

/** @returns Messages over a socket. */
export function messagePort(connection: Deno.Conn): MessagePort {
  const transport = socketTransport(connection);
  const waiting: PromiseWithResolvers<unknown>[] = [];
  const queue: unknown[] = [];
  let isClosed = false;
  const port: MessagePort = {
    send: (message) => transport.send(encode(message)),
    receive() {
      if (queue.length > 0) return Promise.resolve(queue.shift());
      if (isClosed) return Promise.reject(new Error("closed"));
      const next = Promise.withResolvers<unknown>();
      waiting.push(next);
      return next.promise;
    },
    onMessage: undefined,
    close: () => transport.close(),
  };
  transport.start({
    onFrame(frame) {
      const message = decode(frame.slice());
      if (port.onMessage !== undefined) return port.onMessage(message);
      const next = waiting.shift();
      if (next === undefined) queue.push(message);
      else next.resolve(message);
    },
    onClosed() {
      isClosed = true;
      for (const next of waiting) next.reject(new Error("closed"));
    },
  });
  return port;
}
