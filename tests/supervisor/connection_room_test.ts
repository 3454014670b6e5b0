/** How much a host and its plugin can write before the other one reads. */

import assert from "node:assert/strict";
import { testHost } from "../testing/fixtures.ts";

/** What a socket takes by itself, in bytes as the kernel counts them. */
const DEFAULT_ROOM = Number(Deno.readTextFileSync("/proc/sys/net/core/wmem_default"));
const LARGEST_ROOM = 2 * Number(Deno.readTextFileSync("/proc/sys/net/core/wmem_max"));
const ANSWER_BYTES = 350_000;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const FIONREAD = 0x541b;

const libc = () =>
  Deno.dlopen("libc.so.6", {
    getsockopt: { parameters: ["i32", "i32", "i32", "buffer", "buffer"], result: "i32" },
    getpeername: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    getsockname: { parameters: ["i32", "buffer", "buffer"], result: "i32" },
    ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  });

const isRoomier = LARGEST_ROOM > 1.5 * DEFAULT_ROOM;

Deno.test({
  name: `a connection takes large frames at once, in both directions${
    isRoomier ? "" : " [skipped: net.core.wmem_max allows no more than a socket has by itself]"
  }`,
  ignore: !isRoomier,
}, async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<{ large(): Uint8Array }>(
    await test.plugin(`export const large = () => new Uint8Array(${ANSWER_BYTES}).fill(7);`),
  );
  await plugin.api.large();
  const library = libc();
  using _closed = { [Symbol.dispose]: () => library.close() };
  const { symbols } = library;
  const fds = connections(symbols, "/rpc.sock");
  assert.ok(fds.length > 0);
  assert.ok(fds.every((fd) => intOption(symbols, fd) > 1.5 * DEFAULT_ROOM));
  const answer = plugin.api.large();
  // Lets the call be written; from here on this process reads nothing.
  await Promise.resolve();
  for (let step = 0; step < 5; step++) await Promise.resolve();
  const waiting = mostUnread(symbols, fds, 1.25 * DEFAULT_ROOM);
  assert.equal((await answer).length, ANSWER_BYTES);
  assert.ok(waiting > 1.25 * DEFAULT_ROOM, `${waiting} bytes waited`);
});

type Symbols = ReturnType<typeof libc>["symbols"];

/** Connected sockets of this process whose name ends so. */
function connections(symbols: Symbols, end: string): number[] {
  return Array.from({ length: 256 }, (_, fd) => fd).filter((fd) => {
    const name = new Uint8Array(110);
    const length = new Uint32Array([name.length]);
    if (symbols.getpeername(fd, new Uint8Array(110), new Uint32Array([110])) !== 0) return false;
    if (symbols.getsockname(fd, name, length) !== 0) return false;
    return new TextDecoder().decode(name.subarray(2, length[0])).replace(/\0.*$/, "").endsWith(end);
  });
}

function intOption(symbols: Symbols, fd: number): number {
  const value = new Int32Array(1);
  assert.equal(symbols.getsockopt(fd, SOL_SOCKET, SO_SNDBUF, value, new Uint32Array([4])), 0);
  return value[0]!;
}

/** Most bytes that wait in one of these sockets, once there are more than `enough` or it has taken too long. */
function mostUnread(symbols: Symbols, fds: readonly number[], enough: number): number {
  const pause = new Int32Array(new SharedArrayBuffer(4));
  for (const end = performance.now() + 60_000;;) {
    const most = Math.max(...fds.map((fd) => unreadBytes(symbols, fd)));
    if (most > enough || performance.now() > end) return most;
    Atomics.wait(pause, 0, 0, 5);
  }
}

function unreadBytes(symbols: Symbols, fd: number): number {
  const value = new Int32Array(1);
  assert.equal(symbols.ioctl(fd, BigInt(FIONREAD), value), 0);
  return value[0]!;
}
