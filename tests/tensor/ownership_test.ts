/** Who may change memory that a plugin made or was lent, once somebody else relies on it. */

import assert from "node:assert/strict";
import { createHostTensors, type HostTensors, move, type Tensor } from "../../src/tensor/mod.ts";
import { nativeTest, testNative } from "../native/test_native.ts";
import { eventually, GuestPeer } from "./peers.ts";
import { KIND, RawPeer } from "./raw_peer.ts";

const MIB = 2 ** 20;
const LARGE = 300_000;

interface Two {
  readonly host: HostTensors;
  readonly maker: GuestPeer;
  readonly reader: GuestPeer;
}

/** A host with two guests, neither of which is blamed for anything at the end. */
async function withTwo(body: (two: Two) => Promise<void>): Promise<void> {
  using native = await testNative();
  using host = createHostTensors({ native });
  await using maker = await GuestPeer.start(host, native);
  await using reader = await GuestPeer.start(host, native);
  await body({ host, maker, reader });
  assert.deepEqual([maker.violations, reader.violations], [[], []]);
}

Deno.test(
  nativeTest("Tensor.freeze() refuses memory that a plugin made, and leaves it as it was"),
  () =>
    withTwo(async ({ maker, reader }) => {
      using tensor = await maker.call<Tensor>("makeAndKeep", [LARGE], 1);
      assert.throws(() => tensor.freeze(), {
        name: "TypeError",
        message: /could write to it: freeze it before it is lent, or send copied\(tensor\)$/,
      });
      assert.equal(tensor.readOnly, false);
      await maker.call("writeKept", 0, 5);
      assert.equal(tensor.at(0), 5);
      assert.equal(await reader.call("sum", tensor), LARGE + 4);
    }),
);

Deno.test(
  nativeTest("a tensor of the host that comes back from one plugin reaches another without a copy"),
  () =>
    withTwo(async ({ host, maker, reader }) => {
      using tensor = host.tensor([LARGE]);
      using back = await maker.call<Tensor>("echo", tensor);
      await reader.call("keep", back);
      assert.equal(host.stats().regions, 1);
      (tensor.data as Float32Array)[0] = 42;
      assert.deepEqual([back.at(0), await reader.call("keptFirst")], [42, 42]);
      await reader.call("writeKept", 1, 43);
      assert.deepEqual([tensor.at(1), back.at(1)], [43, 43]);
    }),
);

Deno.test(
  nativeTest("move() of memory that its maker still writes to gives the receiver a copy"),
  () =>
    withTwo(async ({ maker, reader }) => {
      const tensor = await maker.call<Tensor>("makeAndKeep", [LARGE], 1);
      await reader.call("keep", move(tensor));
      assert.equal(tensor.isDisposed, true);
      await maker.call("writeKept", 0, 99);
      assert.equal(await reader.call("keptFirst"), 1);
    }),
);

Deno.test(
  nativeTest("move() of memory that its maker has let go of copies nothing"),
  () =>
    withTwo(async ({ host, maker, reader }) => {
      const tensor = await maker.call<Tensor>("make", [LARGE], "float32", 1);
      // Its lease ends when the host has its own hold, which it hears of in its own time.
      const mapped = async () => (await maker.call<{ mapped: number }>("stats")).mapped;
      for (const end = Date.now() + 10_000; await mapped() > 0 && Date.now() < end;) await turn();
      await reader.call("keep", move(tensor));
      assert.deepEqual([host.stats().regions, host.stats().usedBytes], [1, LARGE * 4]);
      assert.equal(await reader.call("keptFirst"), 1);
    }),
);

Deno.test(
  nativeTest("a plugin that gives memory away is not blamed for another one that it is lent to"),
  () =>
    withTwo(async ({ maker, reader }) => {
      const lent = await maker.call<Tensor>("makeAndKeep", [LARGE], 1);
      await reader.call("keep", lent);
      lent.dispose();
      using given = await maker.call<Tensor>("giveKept");
      await reader.call("writeKept", 0, 99);
      assert.equal(given.at(0), 1);
      assert.equal(await reader.call("keptFirst"), 99);
    }),
);

Deno.test(
  nativeTest(
    "a plugin that says that it has let go of memory and keeps it changes nothing that is moved or frozen",
  ),
  async () => {
    await using peer = await RawPeer.start();
    const tensor = peer.host.tensor([MIB], "uint8");
    peer.types.write(tensor);
    const granted = await peer.hear();
    const window = peer.native.reserveWindow(2 * MIB);
    window.map(0, granted.fd, 0, MIB, "shared");
    peer.say(KIND.released, [granted.c]);
    await eventually(() => peer.host.stats().leases === 0, () => peer.host.stats());
    assert.throws(() => tensor.freeze(), { name: "TypeError" });
    const [, , , , place] = (peer.types.write(move(tensor)) as { payload: unknown[] }).payload;
    const copy = await peer.hear();
    assert.deepEqual((place as unknown[]).slice(0, 2), [2, copy.id]);
    new Uint8Array(window.arrayBuffer(0, MIB))[0] = 9;
    const copied = peer.native.reserveWindow(2 * MIB);
    copied.map(0, copy.fd, 0, MIB, "shared");
    assert.equal(new Uint8Array(copied.arrayBuffer(0, MIB))[0], 0);
    assert.equal(tensor.isDisposed, true);
    for (const { fd } of [granted, copy]) peer.native.close(fd);
    window.unmap(0, MIB);
    copied.unmap(0, MIB);
  },
);

Deno.test(nativeTest("a tensor whose move() fails for want of memory stays its owner's"), async () => {
  using native = await testNative();
  using host = createHostTensors({ native, limits: { totalBytes: 4 * MIB } });
  await using guest = await GuestPeer.start(host, native);
  using tensor = host.tensor([3 * MIB], "uint8");
  (tensor.data as Uint8Array)[0] = 7;
  const view = tensor.slice([0, 5]);
  await assert.rejects(guest.call("sum", move(tensor)), { name: "MemoryPressureError", limit: "totalBytes" });
  assert.deepEqual([tensor.isDisposed, tensor.at(0)], [false, 7]);
  view.dispose();
  assert.equal(await guest.call("sum", move(tensor)), 7);
  assert.equal(tensor.isDisposed, true);
});

function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 5));
}
