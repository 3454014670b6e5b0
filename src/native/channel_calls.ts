/**
 * Sockets that carry messages and descriptors.
 *
 * @module
 */

import { EAGAIN, ENOBUFS, ETOOMANYREFS, nativeFailure, succeeded } from "./native_failure.ts";
import type { SharedWait } from "./shared_wait.ts";
import type { Symbols } from "./symbols.ts";
import type { ChannelCalls, ReceivedMessage } from "./types.ts";

const READABLE = 1;

/** The peer's queue is full, the kernel's is, or too many descriptors are on their way: all of it passes. */
const NO_ROOM: ReadonlySet<number> = new Set([EAGAIN, ENOBUFS, ETOOMANYREFS]);

/**
 * The channel part of the library.
 *
 * @param symbols The loaded library.
 * @param shared Waits for sockets in another thread.
 * @returns Its calls.
 */
export function channelCalls(symbols: Symbols, shared: SharedWait): ChannelCalls {
  return {
    socketPair() {
      const pair = new Int32Array(2);
      succeeded("socketPair", symbols.cordon_socketpair(pair));
      return [pair[0] ?? -1, pair[1] ?? -1];
    },
    close(fd) {
      succeeded("close", symbols.cordon_close(fd));
    },
    duplicate: (fd) => succeeded("duplicate", symbols.cordon_duplicate(fd)),
    shutdown(fd) {
      succeeded("shutdown", symbols.cordon_shutdown(fd));
    },
    closeOnExec(first) {
      succeeded("closeOnExec", symbols.cordon_close_on_exec(first));
    },
    send(fd, message, passFd = -1) {
      const result = symbols.cordon_send(fd, message as Uint8Array<ArrayBuffer>, message.byteLength, passFd);
      if (result < 0 && !NO_ROOM.has(result)) throw nativeFailure("send", result);
      return result === 0;
    },
    receive: (fd, into) => receive(symbols, fd, into as Uint8Array<ArrayBuffer>),
    waitReadable: (fd, timeoutMs) => (succeeded("wait", symbols.cordon_wait(fd, timeoutMs)) & READABLE) !== 0,
    readable: (fd) => shared.readable(fd),
  };
}

function receive(symbols: Symbols, fd: number, into: Uint8Array<ArrayBuffer>): ReceivedMessage | null {
  const passed = new Int32Array(1);
  const bytes = symbols.cordon_receive(fd, into, into.byteLength, passed);
  if (bytes === EAGAIN) return null;
  return { bytes: succeeded("receive", bytes), fd: passed[0] ?? -1 };
}
