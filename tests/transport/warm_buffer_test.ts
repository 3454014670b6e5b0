import assert from "node:assert/strict";
import { WarmBuffer } from "../../src/transport/mod.ts";

Deno.test("WarmBuffer.keeps() a small buffer for ever", () => {
  const warm = new WarmBuffer(100);
  for (let use = 0; use < 1000; use++) assert.equal(warm.keeps(1, 100), true);
});

Deno.test("WarmBuffer.keeps() a large buffer for 63 small uses after a large one", () => {
  const warm = new WarmBuffer(100);
  for (let round = 0; round < 3; round++) {
    assert.equal(warm.keeps(101, 1000), true);
    for (let use = 0; use < 63; use++) assert.equal(warm.keeps(1, 1000), true);
  }
  assert.equal(warm.keeps(1, 1000), false);
});
