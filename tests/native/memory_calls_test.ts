import assert from "node:assert/strict";
import { nativeTest, testNative } from "./test_native.ts";

const MIB = 1 << 20;

Deno.test(nativeTest("Native.memfd() makes memory whose size is sealed"), async () => {
  using native = await testNative();
  const fd = native.memfd(3 * MIB);
  assert.deepEqual(native.regionFacts(fd), {
    bytes: 3 * MIB,
    allocatedBytes: 0,
    isSizeSealed: true,
    isWriteSealed: false,
    isFutureWriteSealed: false,
    isWritable: true,
  });
  native.close(fd);
  assert.throws(() => native.memfd(-1), { name: "NativeError", errno: "EINVAL", call: "memfd" });
  assert.throws(() => native.memfd(0.5), { name: "NativeError", errno: "EINVAL" });
});

Deno.test(nativeTest("Window.map() shows a memfd in a buffer that was made before"), async () => {
  using native = await testNative();
  const window = native.reserveWindow(64 * MIB);
  const whole = window.arrayBuffer(0, window.bytes);
  const fd = native.memfd(MIB);
  window.map(32 * MIB, fd, 0, MIB, "shared");
  window.map(40 * MIB, fd, 0, MIB, "private");
  const shared = new Uint8Array(whole, 32 * MIB, MIB);
  const own = new Uint8Array(whole, 40 * MIB, MIB);
  shared[MIB - 1] = 7;
  assert.equal(own[MIB - 1], 7);
  own[0] = 9;
  assert.equal(shared[0], 0);
  assert.equal(native.regionFacts(fd).allocatedBytes, 4096 * 2);
  window.unmap(32 * MIB, MIB);
  window.unmap(40 * MIB, MIB);
  native.close(fd);
});

Deno.test(nativeTest("Window.map() refuses what could raise SIGBUS or lie outside"), async () => {
  using native = await testNative();
  const window = native.reserveWindow(4 * MIB);
  const fd = native.memfd(MIB);
  assert.throws(() => window.map(0, fd, 0, 2 * MIB, "shared"), { errno: "ERANGE" });
  assert.throws(() => window.map(4 * MIB, fd, 0, 4096, "shared"), { errno: "ERANGE" });
  assert.throws(() => window.map(1, fd, 0, 4096, "shared"), { errno: "EINVAL" });
  assert.throws(() => window.map(-4096, fd, 0, 4096, "shared"), { errno: "EINVAL" });
  assert.throws(() => window.map(0, 1, 0, 4096, "shared"), { name: "NativeError", call: "map" });
  assert.throws(() => window.arrayBuffer(0, 5 * MIB), { errno: "ERANGE" });
  native.close(fd);
});

Deno.test(nativeTest("Native.seal() needs that no writable mapping exists, and then holds"), async () => {
  using native = await testNative();
  const window = native.reserveWindow(4 * MIB);
  const fd = native.memfd(MIB);
  native.fill(fd, 0, new Uint8Array([1, 2, 3]));
  window.map(0, fd, 0, MIB, "shared");
  assert.throws(() => native.seal(fd, "write"), { errno: "EBUSY" });
  window.unmap(0, MIB);
  native.seal(fd, "write");
  assert.equal(native.regionFacts(fd).isWriteSealed, true);
  assert.throws(() => window.map(0, fd, 0, MIB, "shared"), { errno: "EPERM" });
  window.map(0, fd, 0, MIB, "private");
  assert.deepEqual([...new Uint8Array(window.arrayBuffer(0, 3))], [1, 2, 3]);
  window.unmap(0, MIB);
  native.close(fd);
});

Deno.test(nativeTest("Native.discard() gives pages back"), async () => {
  using native = await testNative();
  const fd = native.memfd(MIB);
  native.fill(fd, 0, new Uint8Array(MIB).fill(1));
  assert.equal(native.regionFacts(fd).allocatedBytes, MIB);
  native.discard(fd, 0, MIB / 2);
  assert.equal(native.regionFacts(fd).allocatedBytes, MIB / 2);
  native.close(fd);
});
