import assert from "node:assert/strict";
import fc from "fast-check";
import { RangeAllocator } from "../../src/tensor/range_allocator.ts";
import { contiguousStrides, elementSpan, hasOverlap } from "../../src/tensor/shape.ts";
import { Storage } from "../../src/tensor/storage.ts";
import { Tensor } from "../../src/tensor/mod.ts";

function counting(...shape: number[]): Tensor {
  const size = shape.reduce((product, length) => product * length, 1);
  return Tensor.from(new Float32Array(size).map((_, index) => index), { shape });
}

Deno.test("Tensor.from() takes the dtype of the array, or what it is told", () => {
  assert.equal(Tensor.from(new Float16Array(2)).dtype, "float16");
  assert.equal(Tensor.from(new BigInt64Array(2)).dtype, "int64");
  assert.equal(Tensor.from([1, 2]).dtype, "float32");
  assert.equal(Tensor.from([1n], { dtype: "uint64" }).at(0), 1n);
  assert.equal(Tensor.from(new Uint8ClampedArray(1)).dtype, "uint8");
  assert.throws(() => Tensor.from([1, 2], { shape: [3] }), {
    name: "RangeError",
    message: "Cannot make shape [3] of 2 elements as it has 3",
  });
  assert.throws(() => Tensor.from([1n], { dtype: "float32" }), TypeError);
  assert.throws(() => Tensor.from([1], { dtype: "complex64" as never }), { name: "TypeError" });
});

Deno.test("Tensor.slice() shows a part of the same memory", () => {
  using tensor = counting(4, 5);
  using row = tensor.slice(1);
  using column = tensor.slice(null, -1);
  using block = tensor.slice([1, 3], [2]);
  assert.deepEqual([...row.toTyped()], [5, 6, 7, 8, 9]);
  assert.deepEqual([...column.toTyped()], [4, 9, 14, 19]);
  assert.deepEqual([...block.toTyped()], [7, 8, 9, 12, 13, 14]);
  (tensor.data as Float32Array)[7] = 99;
  assert.equal(block.at(0, 0), 99);
  assert.throws(() => column.data, { name: "TypeError" });
  assert.throws(() => tensor.slice(4), { name: "RangeError" });
  assert.throws(() => tensor.slice([3, 2]), { name: "RangeError" });
  assert.throws(() => tensor.slice(0, 0, 0), { name: "RangeError" });
  assert.equal(tensor.slice([4, 4]).size, 0);
});

Deno.test("Tensor.reshape() and transpose() show the same memory", () => {
  using tensor = counting(2, 3, 4);
  using flat = tensor.reshape(-1);
  using turned = tensor.transpose(2, 0, 1);
  assert.deepEqual(flat.shape, [24]);
  assert.deepEqual(turned.shape, [4, 2, 3]);
  assert.equal(turned.at(3, 1, 2), tensor.at(1, 2, 3));
  assert.throws(() => turned.reshape(24), { name: "TypeError" });
  assert.throws(() => tensor.reshape(5, -1), { name: "RangeError" });
  assert.throws(() => tensor.reshape(-1, -1), { name: "RangeError" });
  assert.throws(() => tensor.transpose(0, 0, 1), { name: "RangeError" });
});

Deno.test("Tensor.equals() compares elements, NaN with NaN", () => {
  assert.equal(Tensor.from([NaN, 1]).equals(Tensor.from([NaN, 1])), true);
  assert.equal(Tensor.from([1]).equals(Tensor.from([2])), false);
  assert.equal(Tensor.from([1]).equals(Tensor.from([1], { dtype: "float64" })), false);
  assert.equal(counting(2, 3).equals(counting(3, 2)), false);
  assert.equal(counting(2, 3).transpose().equals(counting(2, 3).transpose()), true);
});

Deno.test("Tensor.dispose() may be called twice, and nothing works afterwards", () => {
  const tensor = counting(2, 2);
  tensor.dispose();
  tensor.dispose();
  assert.equal(tensor.isDisposed, true);
  for (
    const use of [() => tensor.data, () => tensor.slice(0), () => tensor.toTyped(), () => tensor.at(0, 0)]
  ) {
    assert.throws(use, { name: "DisposedError" });
  }
});

Deno.test("Tensor.toTyped() and at() agree for every view", () => {
  const shapes = fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(shapes, fc.nat(), (shape, seed) => {
    using tensor = counting(...shape);
    const axes = shape.map((_, axis) => axis).sort((a, b) => (seed * (a + 7)) % 11 - (seed * (b + 7)) % 11);
    using view = tensor.transpose(...axes);
    const elements = view.toTyped();
    const strides = contiguousStrides(view.shape);
    for (let index = 0; index < view.size; index++) {
      const indices = view.shape.map((size, axis) => Math.floor(index / (strides[axis] ?? 1)) % size);
      assert.equal(view.at(...indices), elements[index]);
    }
  }));
});

Deno.test("hasOverlap() never misses two indices of one element", () => {
  const axis = fc.record({ size: fc.integer({ min: 1, max: 4 }), stride: fc.integer({ min: 0, max: 12 }) });
  fc.assert(fc.property(fc.array(axis, { maxLength: 3 }), (axes) => {
    const shape = axes.map(({ size }) => size);
    const strides = axes.map(({ stride }) => stride);
    let places = [0];
    for (const { size, stride } of axes) {
      places = places.flatMap((place) => Array.from({ length: size }, (_, index) => place + index * stride));
    }
    if (new Set(places).size < places.length) assert.equal(hasOverlap(shape, strides), true);
    assert.equal(elementSpan(shape, strides), Math.max(...places) + 1);
  }));
});

Deno.test("RangeAllocator never hands out a byte twice and gets everything back", () => {
  const steps = fc.array(
    fc.record({ take: fc.boolean(), bytes: fc.integer({ min: 1, max: 300 }), pick: fc.nat() }),
  );
  fc.assert(fc.property(steps, (script) => {
    const ranges = new RangeAllocator(4096, 64);
    const taken: { start: number; bytes: number }[] = [];
    for (const { take, bytes, pick } of script) {
      const [freed] = take ? [] : taken.splice(pick % Math.max(taken.length, 1), 1);
      if (freed !== undefined) ranges.free(freed.start, freed.bytes);
      const start = take ? ranges.allocate(bytes) : null;
      if (start === null) continue;
      assert(start % 64 === 0 && start + bytes <= 4096);
      for (const other of taken) {
        assert(
          start >= other.start + ranges.rounded(other.bytes) || other.start >= start + ranges.rounded(bytes),
        );
      }
      taken.push({ start, bytes });
    }
    for (const { start, bytes } of taken) ranges.free(start, bytes);
    assert.equal(ranges.usedBytes, 0);
    assert.equal(ranges.allocate(4096), 0);
  }));
});

Deno.test("Tensor<D> gives data, elements and views the type of its dtype", () => {
  using tensor = new Tensor({ storage: Storage.local(8), dtype: "uint64", shape: [1] });
  const data: BigUint64Array = tensor.data;
  data[0] = 7n;
  using view: Tensor<"uint64"> = tensor.reshape(1, 1);
  const element: bigint = view.at(0, 0);
  assert.equal(element, 7n);
  const any: Tensor = tensor; // whoever does not know the dtype takes any
  assert.equal(any.dtype, "uint64");
  // @ts-expect-error Its elements are bigints.
  const wrong: Float32Array = tensor.data;
  assert.ok(wrong instanceof BigUint64Array);
});
