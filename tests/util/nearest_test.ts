import assert from "node:assert/strict";
import { nearest } from "../../src/util/nearest.ts";

const keys = ["memory", "cpuPercent", "openFiles", "fileSize", "tmp", "net"];

for (
  const [word, expected] of [
    ["memry", "memory"],
    ["memroy", "memory"],
    ["Memory", "memory"],
    ["cpu_percent", "cpuPercent"],
    ["cpu-percents", "cpuPercent"],
    ["openFile", "openFiles"],
    ["nte", "net"],
    ["temp", "tmp"],
    ["x".repeat(10_000), null],
    ["bandwidth", null],
    ["", null],
  ] as const
) {
  Deno.test(`nearest() answers ${JSON.stringify(expected)} for ${JSON.stringify(word.slice(0, 20))}`, () => {
    assert.equal(nearest(word, keys), expected);
  });
}
