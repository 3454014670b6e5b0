import assert from "node:assert/strict";
import { isSameToken } from "../../src/rpc/token.ts";

Deno.test("isSameToken() knows a token by all of its bytes and its length, and none that is empty", () => {
  const cases: readonly [expected: string, shown: unknown, isSame: boolean][] = [
    ["secret", "secret", true],
    ["sécret", "sécret", true],
    ["secret", "secreT", false],
    ["secret", "Secret", false],
    ["secret", "secre", false],
    ["secret", "secret\0", false],
    ["secret", ["secret"], false],
    ["secret", null, false],
    ["", "", false],
  ];
  for (const [expected, shown, isSame] of cases) {
    assert.equal(isSameToken(expected, shown), isSame, JSON.stringify([expected, shown]));
  }
});
