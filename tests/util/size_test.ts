import assert from "node:assert/strict";
import fc from "fast-check";
import { sizeBytes, sizeText } from "../../src/util/size.ts";

for (
  const [written, expected] of [
    [0, 0],
    [4096, 4096],
    ["4096", 4096],
    ["1B", 1],
    ["1KB", 1_000],
    ["1kib", 1_024],
    ["256MiB", 268_435_456],
    ["1GB", 1_000_000_000],
    ["1.5 KiB", 1_536],
    ["1.3KB", 1_300],
    ["2TiB", 2_199_023_255_552],
    [1.5, null],
    [-1, null],
    [Number.NaN, null],
    [Infinity, null],
    [2 ** 53, null],
    ["9007199254740993", null],
    ["9999999999TiB", null],
    ["1.0001KiB", null],
    ["-1MiB", null],
    ["1e3", null],
    ["0x10", null],
    ["1 MiB ", null],
    ["MiB", null],
    ["12 parsecs", null],
    ["", null],
    [null, null],
    [1n, null],
    [{}, null],
  ] as const
) {
  Deno.test(`sizeBytes() reads ${typeof written} ${String(written)} as ${expected}`, () => {
    assert.equal(sizeBytes(written), expected);
  });
}

Deno.test("sizeBytes() reads back what sizeText() writes for whole units", () => {
  fc.assert(fc.property(fc.integer({ min: 0, max: 1023 }), fc.integer({ min: 0, max: 3 }), (count, unit) => {
    assert.equal(sizeBytes(sizeText(count * 1024 ** unit)), count * 1024 ** unit);
  }));
});

Deno.test("sizeBytes() answers safe integers of at least 0, or null, for any text", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    const bytes = sizeBytes(text);
    assert.ok(bytes === null || (Number.isSafeInteger(bytes) && bytes >= 0));
  }));
});
