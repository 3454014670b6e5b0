import assert from "node:assert/strict";
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

Deno.test(nativeTest("Native.peerCredentials() names this process"), async () => {
  using native = await testNative();
  const [here, there] = native.socketPair();
  assert.deepEqual(native.peerCredentials(here), { pid: Deno.pid, uid: Deno.uid(), gid: Deno.gid() });
  for (const open of [here, there]) native.close(open);
});
