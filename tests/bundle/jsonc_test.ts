import assert from "node:assert/strict";
import fc from "fast-check";
import { parseJsonc } from "../../src/bundle/jsonc.ts";

Deno.test("parseJsonc() reads comments and trailing commas and leaves strings alone", () => {
  const text =
    `\ufeff{ // one\n "a": "// no", /* two, ] */ "b": [1, 2, /* x */ ], "c": ",]}", "d": "\\"/*",\n}`;
  assert.deepEqual(parseJsonc(text), { a: "// no", b: [1, 2], c: ",]}", d: '"/*' });
});

Deno.test("parseJsonc() reads every JSON text as JSON.parse() does", () => {
  fc.assert(fc.property(fc.json(), (text) => assert.deepEqual(parseJsonc(text), JSON.parse(text))));
});

Deno.test("parseJsonc() rejects what is not JSON", () => {
  for (const text of ["", "{", "[,]", "{'a': 1}", "/* open"]) {
    assert.throws(() => parseJsonc(text), SyntaxError);
  }
});
