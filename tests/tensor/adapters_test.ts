import assert from "node:assert/strict";
import {
  fromArrow,
  fromOrt,
  readSafetensors,
  Tensor,
  toArrow,
  toOrt,
  writeSafetensors,
} from "../../src/tensor/mod.ts";
import { DTYPES } from "../../src/tensor/dtype.ts";

Deno.test("readSafetensors() gives back what writeSafetensors() wrote, for every dtype", () => {
  const tensors = Object.fromEntries(DTYPES.map((dtype) => {
    const big = dtype === "int64" || dtype === "uint64";
    const values = [1, 0, 1, 1, 0, 1];
    const array = big ? values.map(BigInt) : values;
    return [dtype, Tensor.from(array, { dtype, shape: [2, 3] })];
  }));
  const file = writeSafetensors(tensors, { made: "here" });
  const read = readSafetensors(file);
  assert.deepEqual(read.metadata, { made: "here" });
  assert.deepEqual([...read.tensors.keys()].sort(), [...DTYPES].sort());
  for (const [name, tensor] of read.tensors) assert.equal(tensor.equals(tensors[name] as Tensor), true, name);
});

Deno.test("readSafetensors() shows aligned tensors in place and copies others", () => {
  using odd = Tensor.from(new Uint8Array([7]));
  using floats = Tensor.from(new Float32Array([1, 2]));
  const aligned = writeSafetensors({ floats, odd });
  const shown = readSafetensors(aligned).tensors.get("floats");
  aligned[aligned.length - 2] = 0x41;
  assert.notEqual(shown?.at(1), 2);
  const shifted = writeSafetensors({ odd, floats });
  assert.deepEqual([...(readSafetensors(shifted).tensors.get("floats")?.data as Float32Array)], [1, 2]);
});

function fileOf(header: unknown, data = 0): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const file = new Uint8Array(8 + text.length + data);
  new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
  file.set(text, 8);
  return file;
}

const BROKEN: readonly (readonly [string, Uint8Array, string])[] = [
  ["is too short", new Uint8Array(7), "RangeError"],
  ["has a header beyond its end", new Uint8Array(8).fill(9), "RangeError"],
  ["has no JSON", fileOf("nonsense"), "SyntaxError"],
  ["has a list for a header", fileOf([1]), "TypeError"],
  [
    "has an unknown dtype",
    fileOf({ a: { dtype: "constructor", shape: [], data_offsets: [0, 0] } }),
    "TypeError",
  ],
  [
    "has offsets beyond its end",
    fileOf({ a: { dtype: "U8", shape: [9], data_offsets: [0, 9] } }, 8),
    "RangeError",
  ],
  [
    "has offsets before its start",
    fileOf({ a: { dtype: "U8", shape: [2], data_offsets: [-1, 1] } }, 8),
    "RangeError",
  ],
  [
    "has offsets that differ from its shape",
    fileOf({ a: { dtype: "U8", shape: [2], data_offsets: [0, 3] } }, 8),
    "RangeError",
  ],
  ["has a negative size", fileOf({ a: { dtype: "U8", shape: [-2], data_offsets: [0, 2] } }, 8), "RangeError"],
];

for (const [what, file, name] of BROKEN) {
  Deno.test(`readSafetensors() refuses a file that ${what}`, () => {
    assert.throws(() => readSafetensors(file), { name });
  });
}

Deno.test("fromOrt() and toOrt() show the same memory", () => {
  class OrtLike {
    constructor(readonly type: string, readonly data: Float32Array, readonly dims: readonly number[]) {}
  }
  const ort = new OrtLike("float32", new Float32Array([1, 2, 3, 4]), [2, 2]);
  using tensor = fromOrt(ort);
  ort.data[3] = 9;
  assert.equal(tensor.at(1, 1), 9);
  const back = toOrt(tensor, OrtLike as never) as OrtLike;
  assert.deepEqual([back.type, back.dims], ["float32", [2, 2]]);
  assert.equal(back.data.buffer, ort.data.buffer);
  assert.throws(() => fromOrt({ type: "string", dims: [1], data: ["a"] }), { name: "TypeError" });
  assert.throws(() => fromOrt({ type: "float32", dims: [3], data: ort.data }), { name: "RangeError" });
});

Deno.test("fromArrow() and toArrow() show the same memory", () => {
  const values = new Int32Array([1, 2, 3, 4]);
  using tensor = fromArrow({ length: 3, nullCount: 0, values });
  values[2] = 8;
  assert.deepEqual([tensor.size, tensor.at(2)], [3, 8]);
  assert.equal(toArrow(tensor).data.buffer, values.buffer);
  using half = fromArrow({ length: 2, nullCount: 0, values: new Uint16Array([0x3c00, 0x4000]) }, "float16");
  assert.deepEqual([half.at(0), half.at(1)], [1, 2]);
  assert.throws(() => fromArrow({ length: 3, nullCount: 1, values }), { name: "TypeError" });
  assert.throws(() => fromArrow({ length: 5, nullCount: 0, values }), { name: "RangeError" });
  assert.throws(() => fromArrow({ length: 1, nullCount: 0, values: ["a"] }), { name: "TypeError" });
});
