import assert from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import type { Native } from "../../src/native/mod.ts";
import { type GuestTensors, openGuestTensors, type Tensor } from "../../src/tensor/mod.ts";
import { nativeTest, testNative } from "../native/test_native.ts";
import { KIND, memoryDescriptors, PURPOSE, rawMessage } from "./raw_peer.ts";
import { WireTypes } from "./wire.ts";

const MIB = 2 ** 20;
const UINT8 = 8;
const PRIVATE = 1;

interface Trial {
  readonly native: Native;
  readonly guest: GuestTensors;
  readonly types: WireTypes;
  grant(fd: number, bytes: number, flags?: number): void;
  say(kind: number, values: readonly number[], passed?: number): void;
  read(place: readonly unknown[], bytes?: number): Tensor;
}

/** A guest in this thread whose host is played by the test: grant 1 belongs to lease 1. */
async function withGuest(body: (trial: Trial) => Promise<void> | void): Promise<void> {
  using native = await testNative();
  const [host, fd] = native.socketPair();
  using guest = openGuestTensors({ native, fd, limits: { answerMs: 50 } });
  const types = new WireTypes();
  guest.register(types);
  await body({
    native,
    guest,
    types,
    grant(passed, bytes, flags = 0) {
      native.send(host, rawMessage(KIND.grant, [1, bytes, PURPOSE.lent, 1], flags), passed);
    },
    say: (kind, values, passed) => void native.send(host, rawMessage(kind, values), passed),
    read: (place, bytes = MIB) =>
      types.read({ tag: "tensor", payload: [UINT8, [bytes], null, 0, place] }) as Tensor,
  });
  native.close(host);
}

Deno.test(
  nativeTest("a guest maps what it was granted (positive control)"),
  () =>
    withGuest(({ native, guest, grant, read }) => {
      const fd = native.memfd(MIB);
      native.fill(fd, 0, new Uint8Array([3]));
      grant(fd, MIB);
      using tensor = read([2, 1, 1, 0]);
      assert.equal(tensor.at(0), 3);
      assert.equal(guest.stats().mapped, 1);
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest refuses memory that is shorter than it was said to be"),
  () =>
    withGuest(({ native, guest, grant, read }) => {
      const fd = native.memfd(MIB / 2);
      grant(fd, MIB);
      assert.throws(() => read([2, 1, 1, 0]), { name: "ProtocolError", message: /memory has 524288$/ });
      assert.equal(guest.stats().mapped, 0);
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest refuses a descriptor that is no memory"),
  () =>
    withGuest(async ({ grant, read }) => {
      const path = await Deno.makeTempFile();
      const fd = openSync(path, "r");
      grant(fd, MIB);
      assert.throws(() => read([2, 1, 1, 0]), { name: "NativeError", call: "regionFacts" });
      closeSync(fd);
      await Deno.remove(path);
    }),
);

Deno.test(
  nativeTest("a guest refuses a descriptor that it may only read"),
  () =>
    withGuest(({ native, guest, grant, read }) => {
      const fd = native.memfd(MIB);
      const readable = openSync(`/proc/self/fd/${fd}`, "r");
      grant(readable, MIB);
      assert.throws(() => read([2, 1, 1, 0]), { name: "NativeError", call: "map", errno: "EACCES" });
      assert.equal(guest.stats().mapped, 0);
      closeSync(readable);
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest refuses memory whose size is not sealed"),
  () =>
    withGuest(async ({ native, guest, grant, read }) => {
      const path = await Deno.makeTempFile({ dir: "/dev/shm" });
      await Deno.truncate(path, MIB);
      const plain = openSync(path, "r+");
      await Deno.remove(path);
      assert.equal(native.regionFacts(plain).isSizeSealed, false);
      grant(plain, MIB);
      assert.throws(() => read([2, 1, 1, 0]), { name: "NativeError", call: "map", errno: "EPERM" });
      assert.equal(guest.stats().mapped, 0);
      closeSync(plain);
    }),
);

Deno.test(
  nativeTest("a guest refuses as given what is not sealed, and takes it when it is"),
  () =>
    withGuest(({ native, grant, read }) => {
      const open = native.memfd(MIB);
      grant(open, MIB);
      assert.throws(() => read([2, 1, 1, 1]), {
        name: "ProtocolError",
        message: /must be sealed: it is not$/,
      });
      native.seal(open, "write");
      grant(open, MIB, PRIVATE);
      using tensor = read([2, 1, 1, 1]);
      assert.equal(tensor.readOnly, true);
      native.close(open);
    }),
);

Deno.test(
  nativeTest("a guest does not wait for ever for a grant that does not come"),
  () =>
    withGuest(({ read }) => {
      assert.throws(() => read([2, 9, 9, 0]), {
        name: "ProtocolError",
        message: /did not grant 1048576 bytes of it$/,
      });
      assert.throws(() => read([1, 0, 1], 64), { name: "ProtocolError", message: /host's arena/ });
    }),
);

Deno.test(
  nativeTest("a guest that waits for memory in vain gets an error with numbers"),
  () =>
    withGuest(({ guest }) => {
      assert.throws(() => guest.tensor([MIB], "uint8"), {
        name: "MemoryPressureError",
        limit: "answerMs",
        asked: MIB,
      });
    }),
);

Deno.test(
  nativeTest("a guest is told when the host has let go of what it did not pick up"),
  () =>
    withGuest(({ native, grant, say, read }) => {
      const fd = native.memfd(MIB);
      grant(fd, MIB);
      say(KIND.expired, [1]);
      assert.throws(() => read([2, 1, 1, 0]), { name: "DisposedError", message: /not picked up in time/ });
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest refuses memory under another lease than it was granted"),
  () =>
    withGuest(({ native, grant, read }) => {
      const fd = native.memfd(MIB);
      grant(fd, MIB);
      assert.throws(() => read([2, 1, 77, 0]), { name: "ProtocolError", message: /did not grant/ });
      read([2, 1, 1, 0]).dispose();
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("a guest closes what it was granted and did not pick up, when that is over and when it ends"),
  async () => {
    const before = memoryDescriptors();
    await withGuest(({ native, grant, say, read }) => {
      const fd = native.memfd(MIB);
      grant(fd, MIB);
      assert.throws(() => read([2, 5, 5, 0]), { name: "ProtocolError" }, "now it has heard of the grant");
      assert.equal(memoryDescriptors(), before + 2);
      say(KIND.expired, [1]);
      assert.throws(() => read([2, 5, 5, 0]), { name: "ProtocolError" });
      assert.equal(memoryDescriptors(), before + 1);
      say(KIND.grant, [2, MIB, PURPOSE.lent, 2], fd);
      native.close(fd);
      assert.throws(() => read([2, 5, 5, 0]), { name: "ProtocolError" });
      assert.equal(memoryDescriptors(), before + 1);
    });
    assert.equal(memoryDescriptors(), before);
  },
);

Deno.test(
  nativeTest("a tensor of a guest begins as zeros where another one was"),
  () =>
    withGuest(({ native, guest, say }) => {
      // Pages that are whole are given back to the kernel: the rest of the last one is what counts.
      const [bytes, arenaBytes] = [20_000, 40_960];
      const fd = native.memfd(arenaBytes);
      // The answer to its first request: an arena with room for two.
      say(KIND.grant, [1, arenaBytes, PURPOSE.guestArena, 1], fd);
      using _neighbour = guest.tensor([bytes], "uint8");
      for (const value of [7, 8]) {
        using tensor = guest.tensor([bytes], "uint8");
        const data = tensor.data as Uint8Array;
        assert.ok(data.every((byte) => byte === 0));
        data.fill(value);
      }
      native.close(fd);
    }),
);

Deno.test(
  nativeTest("arrays of a guest keep their memory through subarray() and buffer"),
  () =>
    withGuest(({ native, guest, grant, types }) => {
      const fd = native.memfd(MIB);
      native.fill(fd, 0, new Uint8Array([1, 2, 3, 4]));
      grant(fd, MIB);
      const array = types.read({ tag: "array", payload: [0, MIB, [2, 1, 1, 0]] }) as Uint8Array;
      const part = array.subarray(1, 4).subarray(1);
      assert.deepEqual([part.length, part[0], part[1]], [2, 3, 4]);
      assert.deepEqual(Object.keys(array.subarray(0, 2)), ["0", "1"]);
      assert.deepEqual([...new Uint8Array(array.buffer, array.byteOffset + 2, 2)], [3, 4]);
      assert.deepEqual(array.slice(0, 2), new Uint8Array([1, 2]));
      assert.equal(guest.stats().mapped, 1);
      native.close(fd);
    }),
);
