import assert from "node:assert/strict";
import { quote } from "../../src/util/quote.ts";

const hostile = {
  get name(): string {
    throw new Error("was read");
  },
  toString(): string {
    throw new Error("was called");
  },
};

for (
  const [label, value, expected] of [
    ["text", "a\nb", '"a\\nb"'],
    ["long text", "x".repeat(100), `"${"x".repeat(80)}"…`],
    ["a number", Number.NaN, "NaN"],
    ["a bigint", 5n, "5n"],
    ["undefined", undefined, "undefined"],
    ["null", null, "null"],
    ["an array", [1], "an array"],
    ["a symbol", Symbol("x"), "a symbol"],
    ["a function", () => {}, "a function"],
    ["an object whose code throws", hostile, "an object"],
  ] as const
) {
  Deno.test(`quote() shows ${label}`, () => {
    assert.equal(quote(value), expected);
  });
}
