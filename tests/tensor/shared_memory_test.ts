import assert from "node:assert/strict";
import { createHostTensors, move, type Tensor } from "../../src/tensor/mod.ts";
import { nativeTest, testNative } from "../native/test_native.ts";
import { collectGarbage, eventually, GuestPeer, startPair } from "./peers.ts";
import { sharedBytes } from "./shared_files.ts";

const MIB = 2 ** 20;
const LARGE = 300_000;

Deno.test(nativeTest("a large tensor shows the same bytes on both sides while it is lent"), async () => {
  await using pair = await startPair();
  using tensor = pair.host.tensor([LARGE]);
  assert.equal(await pair.guest.call("write", tensor, 5, 42), 42);
  assert.equal(tensor.at(5), 42);
});

Deno.test(nativeTest("a small tensor shows the same bytes if it was made to be shared"), async () => {
  await using pair = await startPair();
  using shared = pair.host.tensor([4], "float32", { shared: true });
  using own = pair.host.tensor([4], "float32");
  await pair.guest.call("write", shared, 1, 42);
  await pair.guest.call("write", own, 1, 42);
  assert.deepEqual([shared.at(1), own.at(1)], [42, 0]);
});

Deno.test(nativeTest("a tensor of a guest shows the same bytes on both sides"), async () => {
  await using pair = await startPair();
  using tensor = await pair.guest.call<Tensor>("make", [LARGE], "float32", 1);
  (tensor.data as Float32Array)[7] = 3;
  await pair.guest.call("write", tensor, 8, 4);
  assert.deepEqual([tensor.at(7), tensor.at(8)], [3, 4]);
});

Deno.test(
  nativeTest("Tensor.freeze() shares one memory with many guests, whose writes are their own"),
  async () => {
    using native = await testNative();
    using host = createHostTensors({ native });
    await using first = await GuestPeer.start(host, native);
    await using second = await GuestPeer.start(host, native);
    using tensor = host.tensor([LARGE]).freeze();
    (tensor.data as Float32Array).fill(1);
    assert.equal(tensor.readOnly, true);
    assert.equal(await first.call("write", tensor, 0, 99), 99);
    assert.equal(await second.call("sum", tensor), LARGE);
    assert.equal(tensor.at(0), 1);
    assert.deepEqual([host.stats().regions, host.stats().usedBytes], [1, LARGE * 4]);
  },
);

Deno.test(nativeTest("Tensor.freeze() comes too late when a guest can write"), async () => {
  await using pair = await startPair();
  using tensor = pair.host.tensor([LARGE]);
  await pair.guest.call("keep", tensor);
  assert.throws(() => tensor.freeze(), {
    name: "TypeError",
    message: /a plugin could write to it: freeze it before it is lent/,
  });
  await pair.guest.call("drop");
  await eventually(() => pair.host.stats().leases === 0, () => pair.host.stats());
  // That it has let go is only the guest's word.
  assert.throws(() => tensor.freeze(), { name: "TypeError" });
  using fresh = pair.host.tensor([LARGE]);
  assert.equal(fresh.freeze().readOnly, true);
});

Deno.test(
  nativeTest("a tensor of one guest reaches another one without a copy, and nothing else does"),
  async () => {
    using native = await testNative();
    using host = createHostTensors({ native });
    await using maker = await GuestPeer.start(host, native);
    await using reader = await GuestPeer.start(host, native);
    using tensor = await maker.call<Tensor>("make", [LARGE], "float32", 2);
    assert.equal(host.stats().regions, 1);
    await reader.call("keep", tensor);
    assert.equal(host.stats().regions, 1);
    (tensor.data as Float32Array)[0] = 77;
    assert.equal(await reader.call("keptFirst"), 77);
  },
);

Deno.test(nativeTest("a tensor survives the guest that made it"), async () => {
  using native = await testNative();
  using host = createHostTensors({ native });
  const maker = await GuestPeer.start(host, native);
  using large = await maker.call<Tensor>("make", [LARGE], "float32", 2);
  using small = await maker.call<Tensor>("make", [20_000], "float32", 3);
  await maker[Symbol.asyncDispose]();
  assert.deepEqual([large.at(LARGE - 1), small.at(19_999)], [2, 3]);
  large.dispose();
  small.dispose();
  assert.deepEqual([host.stats().regions, host.stats().usedBytes, host.stats().windowBytes], [0, 0, 0]);
});

Deno.test(nativeTest("a tensor that is disposed while it is lent stays whole for the guest"), async () => {
  await using pair = await startPair();
  const tensor = pair.host.tensor([LARGE]);
  (tensor.data as Float32Array).fill(5);
  await pair.guest.call("keep", tensor);
  tensor.dispose();
  collectGarbage();
  assert.equal(await pair.guest.call("keptFirst"), 5);
  await pair.guest.call("drop");
  await eventually(() => pair.host.stats().regions === 0, () => pair.host.stats());
});

Deno.test(nativeTest("views of a disposed tensor are empty instead of showing what comes next"), async () => {
  using native = await testNative();
  using host = createHostTensors({ native });
  const tensor = host.tensor([LARGE]);
  const { data } = tensor;
  const part = data.subarray(5, 10);
  tensor.dispose();
  assert.deepEqual([data.length, part.length], [0, 0]);
  assert.throws(() => tensor.data, { name: "DisposedError" });
});

Deno.test(nativeTest("views keep the memory until the last is disposed"), async () => {
  using native = await testNative();
  using host = createHostTensors({ native });
  const tensor = host.tensor([LARGE]);
  const view = tensor.slice([0, 10]);
  tensor.dispose();
  assert.equal(view.at(3), 0);
  assert.equal(host.stats().regions, 1);
  view.dispose();
  assert.equal(host.stats().regions, 0);
});

Deno.test(nativeTest("memory of a tensor that was forgotten comes back"), async () => {
  await using pair = await startPair();
  for (let round = 0; round < 8; round++) {
    pair.host.tensor([LARGE]);
    await pair.guest.call("make", [LARGE], "float32", 1);
    await pair.guest.call("make", [20_000], "float32", 1);
  }
  const stats = (): unknown => pair.host.stats();
  // The arena stays, and the engine may still hold the very last one.
  await eventually(() => pair.host.stats().mapped <= 2 && pair.host.stats().regions <= 1, stats, pair.guest);
});

Deno.test(nativeTest("a budget that is spent is an error with numbers, on both sides"), async () => {
  await using pair = await startPair("shared", { totalBytes: 8 * MIB, pluginBytes: 4 * MIB });
  using first = pair.host.tensor([7 * MIB], "uint8");
  assert.throws(() => pair.host.tensor([2 * MIB], "uint8"), {
    name: "MemoryPressureError",
    code: "CORDON_MEMORY_PRESSURE",
    limit: "totalBytes",
    asked: 2 * MIB,
    free: MIB,
    allowed: 8 * MIB,
    message: 'Cannot share 2097152 bytes as limit "totalBytes" allows 8388608: 1048576 are free',
  });
  await assert.rejects(
    pair.guest.call("makeShared", 2 * MIB),
    (error: Error & { fields: Record<string, unknown> }) => {
      assert.equal(error.name, "MemoryPressureError");
      assert.deepEqual([error.fields.asked, error.fields.free], [2 * MIB, MIB]);
      return true;
    },
  );
  first.dispose();
  (await pair.guest.call<Tensor>("makeShared", 2 * MIB)).dispose();
});

Deno.test(nativeTest("more than the machine has is refused before the kernel must act"), async () => {
  using native = await testNative();
  using host = createHostTensors({ native, limits: { totalBytes: 2 ** 45 } });
  assert.throws(() => host.tensor([2 ** 44], "uint8"), { name: "MemoryPressureError", limit: "machine" });
});

Deno.test(nativeTest("an array for which the host has no room goes in the message"), async () => {
  await using pair = await startPair("shared", { pluginBytes: MIB });
  const array = await pair.guest.call<Float32Array>("array", 2 * MIB / 4, 3);
  assert.equal(array.every((element) => element === 3), true);
});

Deno.test(nativeTest("an arena that is full sends small tensors in the message"), async () => {
  await using pair = await startPair("shared", { arenaBytes: 256 * 1024 });
  for (let round = 0; round < 10; round++) {
    using tensor = pair.host.tensor([16_000]);
    (tensor.data as Float32Array).fill(round);
    await pair.guest.call("keep", tensor);
  }
  assert.equal(await pair.guest.call("keptFirst"), 0);
  await pair.guest.call("drop");
});

Deno.test(nativeTest("pages return to the machine when tensors are released"), async () => {
  await using pair = await startPair();
  const before = sharedBytes();
  const tensors = Array.from({ length: 8 }, () => pair.host.tensor([32 * MIB], "uint8"));
  for (const tensor of tensors) (tensor.data as Uint8Array).fill(1);
  const during = sharedBytes();
  assert(during - before > 200 * MIB, `${during} is not more than ${before}`);
  for (const tensor of tensors) tensor.dispose();
  const freed = (): number => during - sharedBytes();
  await eventually(() => freed() > 200 * MIB, freed);
});

Deno.test(nativeTest("pages of an arena return when its tensors are released"), async () => {
  await using pair = await startPair();
  const before = sharedBytes();
  for (let round = 0; round < 40; round++) await pair.guest.call("keep", pair.host.tensor([250_000]));
  const during = sharedBytes();
  assert(during - before > 30 * MIB, `${during} is not more than ${before}`);
  await pair.guest.call("drop");
  await eventually(
    () => during - sharedBytes() > 30 * MIB,
    () => during,
  );
});

Deno.test(nativeTest("move() of what others still see gives the receiver a copy"), async () => {
  await using pair = await startPair();
  const tensor = pair.host.tensor([LARGE]);
  using view = tensor.slice([0, 5]);
  await pair.guest.call("keep", move(tensor));
  assert.equal(tensor.isDisposed, true);
  (view.data as Float32Array)[0] = 9;
  assert.equal(await pair.guest.call("keptFirst"), 0);
});
