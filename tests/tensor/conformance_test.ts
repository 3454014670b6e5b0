import assert from "node:assert/strict";
import { copied, type Dtype, move, Tensor } from "../../src/tensor/mod.ts";
import { DTYPES } from "../../src/tensor/dtype.ts";
import { nativeTest } from "../native/test_native.ts";
import { eventually, type Pair, startPair } from "./peers.ts";

const KINDS = ["shared", "copy"] as const;
const SMALL = 10;
const MIDDLE = 10_000;
const LARGE = 300_000;

function claim(name: string, body: (pair: Pair) => Promise<void>): void {
  for (const kind of KINDS) {
    const options = kind === "shared"
      ? nativeTest(`[shared] ${name}`)
      : { name: `[copy] ${name}`, ignore: false };
    Deno.test({
      ...options,
      async fn() {
        await using pair = await startPair(kind);
        await body(pair);
        assert.deepEqual(pair.guest.violations, []);
        if (kind === "copy") return;
        await eventually(() => pair.host.stats().leases === 0, () => pair.host.stats(), pair.guest);
      },
    });
  }
}

for (const size of [0, 1, SMALL, MIDDLE, LARGE]) {
  claim(`a tensor of ${size} float32 comes back with the same elements`, async ({ host, guest }) => {
    using tensor = host.tensor([size]);
    for (let index = 0; index < size; index++) (tensor.data as Float32Array)[index] = index + 0.5;
    using echoed = await guest.call<Tensor>("echo", tensor);
    assert(echoed instanceof Tensor);
    assert.equal(echoed.equals(tensor), true);
    assert.deepEqual(echoed.shape, [size]);
  });
}

claim("every dtype crosses in both directions", async ({ host, guest }) => {
  for (const dtype of DTYPES as readonly Dtype[]) {
    using tensor = host.tensor([3, 40_000], dtype);
    const big = dtype === "int64" || dtype === "uint64";
    for (let index = 0; index < tensor.size; index += 997) {
      (tensor.data as { [index: number]: unknown })[index] = big ? BigInt(index % 100) : index % 100;
    }
    using echoed = await guest.call<Tensor>("echo", tensor);
    assert.equal(echoed.dtype, dtype);
    assert.equal(echoed.equals(tensor), true, dtype);
  }
});

claim("a tensor that the guest made arrives", async ({ guest }) => {
  for (const size of [SMALL, MIDDLE, LARGE]) {
    using tensor = await guest.call<Tensor>("make", [size, 2], "float32", 1.5);
    assert.deepEqual(tensor.shape, [size, 2]);
    assert.equal((tensor.data as Float32Array).every((element) => element === 1.5), true);
  }
});

claim("a transposed tensor keeps its strides or its elements", async ({ host, guest }) => {
  using tensor = host.tensor([600, 700]);
  (tensor.data as Float32Array).forEach((_, index, data) => data[index] = index);
  using turned = tensor.transpose();
  using echoed = await guest.call<Tensor>("echo", turned);
  assert.deepEqual(echoed.shape, [700, 600]);
  assert.equal(echoed.at(3, 5), 5 * 700 + 3);
  assert.equal(echoed.equals(turned), true);
});

claim("a part of a tensor crosses as just that part", async ({ host, guest }) => {
  using tensor = host.tensor([1000, 1000]);
  (tensor.data as Float32Array).forEach((_, index, data) => data[index] = index);
  using part = tensor.slice([10, 900], [5, 700]);
  using echoed = await guest.call<Tensor>("echo", part);
  assert.deepEqual(echoed.shape, [890, 695]);
  assert.equal(echoed.equals(part), true);
  assert.equal(echoed.isContiguous, true);
});

claim("a moved tensor is gone here and whole there", async ({ host, guest }) => {
  for (const size of [SMALL, MIDDLE, LARGE]) {
    const tensor = host.tensor([size]);
    (tensor.data as Float32Array).fill(2);
    assert.equal(await guest.call("sum", move(tensor)), 2 * size);
    assert.equal(tensor.isDisposed, true);
    assert.throws(() => tensor.data, { name: "DisposedError" });
    using back = await guest.call<Tensor>("makeAndMove", [size], 3);
    assert.equal((back.data as Float32Array).every((element) => element === 3), true);
  }
});

claim("a copied tensor does not change with the original", async ({ host, guest }) => {
  for (const size of [SMALL, MIDDLE, LARGE]) {
    using tensor = host.tensor([size]);
    await guest.call("keep", copied(tensor));
    (tensor.data as Float32Array).fill(9);
    assert.equal(await guest.call("keptFirst"), 0);
    await guest.call("drop");
    using back = await guest.call<Tensor>("makeAndCopy", [size], 4);
    assert.equal(back.at(size - 1), 4);
  }
});

claim("typed arrays of every size cross as plain arrays", async ({ guest }) => {
  for (const length of [3, MIDDLE, 20_000, LARGE]) {
    const array = new Float32Array(length).map((_, index) => index % 7);
    const echoed = await guest.call<Float32Array>("echo", array);
    assert.deepEqual(echoed, array);
    assert.equal(echoed.buffer.byteLength, array.byteLength);
    assert.deepEqual(structuredClone(echoed), array);
    assert.deepEqual(await guest.call("giveBackArray", array), array.slice(1, 3));
  }
});

claim("typed arrays of every class cross, also over shared buffers and at offsets", async ({ guest }) => {
  const buffer = new SharedArrayBuffer(400_000) as unknown as ArrayBuffer;
  for (
    const maker of [Uint8Array, Uint8ClampedArray, Int16Array, Float16Array, BigInt64Array, Float64Array]
  ) {
    const array = new maker(buffer, 8, 200_000 / maker.BYTES_PER_ELEMENT);
    array.fill((maker === BigInt64Array ? 5n : 5) as never);
    const echoed = await guest.call<typeof array>("echo", array);
    assert.equal(echoed.constructor, maker);
    assert.equal(echoed.length, array.length);
    assert.equal(echoed.every((element) => Number(element) === 5), true);
  }
});

claim("an array that arrived belongs to the receiver", async ({ guest }) => {
  const array = await guest.call<Float32Array>("array", LARGE, 1);
  array.fill(2);
  assert.equal(await guest.call("sum", array), 2 * LARGE);
});

claim("thousands of tensors leave nothing behind", async ({ host, guest }) => {
  for (let round = 0; round < 500; round++) {
    using small = host.tensor([20_000]);
    using large = host.tensor([LARGE]);
    await Promise.all([guest.call("sumAndDispose", small), guest.call("sumAndDispose", large)]);
    (await guest.call<Tensor>("make", [20_000], "float32", 1)).dispose();
    (await guest.call<Tensor>("make", [LARGE], "float32", 1)).dispose();
  }
  await eventually(() => host.stats().leases === 0 && host.stats().regions <= 2, () => host.stats());
});
