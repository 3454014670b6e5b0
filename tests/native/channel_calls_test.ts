import assert from "node:assert/strict";
import { channelCalls } from "../../src/native/channel_calls.ts";
import type { SharedWait } from "../../src/native/shared_wait.ts";
import type { Symbols } from "../../src/native/symbols.ts";
import { nativeTest, testNative } from "./test_native.ts";

Deno.test(nativeTest("Native.send() hands over a message with a descriptor of the same memory"), async () => {
  using native = await testNative();
  const [here, there] = native.socketPair();
  const fd = native.memfd(4096);
  native.fill(fd, 0, new Uint8Array([42]));
  assert.equal(native.send(here, new Uint8Array([1, 2]), fd), true);
  native.close(fd);
  const buffer = new Uint8Array(16);
  const message = native.receive(there, buffer);
  assert(message !== null);
  assert.equal(message.bytes, 2);
  assert.equal(native.regionFacts(message.fd).allocatedBytes, 4096);
  assert.equal(native.receive(there, buffer), null);
  for (const open of [message.fd, here, there]) native.close(open);
});

Deno.test(nativeTest("Native.send() says when there is no room instead of waiting"), async () => {
  using native = await testNative();
  const [here, there] = native.socketPair();
  let sent = 0;
  while (native.send(here, new Uint8Array(32))) sent++;
  assert(sent > 10);
  const buffer = new Uint8Array(32);
  let received = 0;
  while (native.receive(there, buffer) !== null) received++;
  assert.equal(received, sent);
  for (const open of [here, there]) native.close(open);
});

Deno.test("channelCalls() takes every answer that means no room as that, and no other", () => {
  const answering = (result: number) => {
    const symbols = { cordon_send: () => result } as unknown as Symbols;
    return channelCalls(symbols, {} as SharedWait).send(0, new Uint8Array(1), 1);
  };
  assert.deepEqual([0, -11, -105, -109].map(answering), [true, false, false, false]);
  assert.throws(() => answering(-32), { name: "NativeError", errno: "EPIPE" });
  assert.throws(() => answering(-9), { name: "NativeError", errno: "EBADF" });
});

Deno.test(nativeTest("Native.receive() refuses a message that is too long"), async () => {
  using native = await testNative();
  const [here, there] = native.socketPair();
  native.send(here, new Uint8Array(17));
  assert.throws(() => native.receive(there, new Uint8Array(16)), { name: "NativeError", errno: "EBADMSG" });
  for (const open of [here, there]) native.close(open);
});

Deno.test(nativeTest("Native.readable() wakes for a message and for the end"), async () => {
  using native = await testNative();
  const [here, there] = native.socketPair();
  const first = native.readable(there);
  native.send(here, new Uint8Array(1));
  assert.equal(await first, true);
  assert.equal(native.waitReadable(there, 0), true);
  native.receive(there, new Uint8Array(1));
  assert.equal(native.waitReadable(there, 0), false);
  const second = native.readable(there);
  native.shutdown(there);
  await second;
  assert.deepEqual(native.receive(there, new Uint8Array(1)), { bytes: 0, fd: -1 });
  assert.throws(() => native.send(here, new Uint8Array(1)), { errno: "EPIPE" });
  for (const open of [here, there]) native.close(open);
});

Deno.test(
  nativeTest(
    "Native.readable() waits for more descriptors than there are threads, and leaves the others to files",
  ),
  async () => {
    using native = await testNative();
    const descriptors = () => [...Deno.readDirSync("/proc/self/fd")].length;
    const descriptorsBefore = descriptors();
    const pairs = Array.from({ length: 70 }, () => native.socketPair());
    const threads = () => [...Deno.readDirSync("/proc/self/task")].length;
    const before = threads();
    const waits = pairs.map(([here]) => native.readable(here));
    assert.equal((await Deno.readTextFile("/proc/self/comm")).length > 0, true);
    assert.ok(threads() <= before + 4, `${before} threads, then ${threads()}`);
    for (const [, there] of pairs.slice(0, 35)) native.send(there, new Uint8Array([1]));
    assert.deepEqual(new Set(await Promise.all(waits.slice(0, 35))), new Set([true]));
    // One that was told can wait again, beside those that still wait.
    const again = native.readable(pairs[0]![0]);
    assert.equal(await again, true, "what was sent has not been read yet");
    for (const [here] of pairs.slice(35)) native.shutdown(here);
    await Promise.all(waits.slice(35));
    for (const fd of pairs.flat()) native.close(fd);
    await assert.rejects(native.readable(9_999), { name: "NativeError", errno: "EBADF" });
    assert.equal(descriptors(), descriptorsBefore);
  },
);

Deno.test(
  nativeTest("Native can be disposed while a thread waits in it: the library goes when the thread is back"),
  async () => {
    const native = await testNative();
    const [here, there] = native.socketPair();
    const readable = native.readable(here);
    native[Symbol.dispose]();
    native[Symbol.dispose]();
    native.shutdown(here);
    await readable;
    for (const fd of [here, there]) native.close(fd);
    // Closing the library is a timer: the test runner would tell of one that is left open.
    await new Promise((resolve) => setTimeout(resolve, 20));
  },
);
