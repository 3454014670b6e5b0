import assert from "node:assert/strict";
import { mapStack, originalPosition, parseSourceMap } from "../../src/util/source_map.ts";

/** Generated line 1: nothing. Line 2: column 0 → a.ts 1:1, column 8 → b.ts 3:5 (name f), column 40 → unmapped. */
const MAP = JSON.stringify({
  version: 3,
  sources: ["/p/a.ts", "/p/b.ts"],
  names: ["f"],
  mappings: ";AAAA,QCEIA,gC;AAAA",
});

Deno.test("originalPosition() finds the mapping at or before a column", () => {
  const map = parseSourceMap(MAP);
  assert.deepEqual(originalPosition(map, 2, 1), { source: "/p/a.ts", line: 1, column: 1, name: undefined });
  assert.deepEqual(originalPosition(map, 2, 8), { source: "/p/a.ts", line: 1, column: 1, name: undefined });
  assert.deepEqual(originalPosition(map, 2, 9), { source: "/p/b.ts", line: 3, column: 5, name: "f" });
  assert.deepEqual(originalPosition(map, 3, 1), { source: "/p/b.ts", line: 3, column: 5, name: undefined });
});

Deno.test("originalPosition() says nothing where nothing is mapped", () => {
  const map = parseSourceMap(MAP);
  assert.equal(originalPosition(map, 1, 1), undefined);
  assert.equal(originalPosition(map, 99, 1), undefined);
});

Deno.test("originalPosition() decodes numbers of several digits and negative ones", () => {
  // Column 1000, then a source line 20 lines back.
  const mappings = "w+BAoBA,gBApBA";
  const map = parseSourceMap(JSON.stringify({ version: 3, sources: ["s"], mappings }));
  assert.deepEqual(originalPosition(map, 1, 1001), { source: "s", line: 21, column: 1, name: undefined });
  assert.deepEqual(originalPosition(map, 1, 1017), { source: "s", line: 1, column: 1, name: undefined });
});

Deno.test("mapStack() rewrites the frames of the generated file and leaves the others", () => {
  const stack = [
    "Error: at /app/plugin/main.js, said the message",
    "    at f (file:///app/plugin/main.js:2:9)",
    "    at /app/plugin/main.js:2:1",
    "    at file:///app/plugin/main.js:1:1",
    "    at g (file:///app/guest.js:2:9)",
  ].join("\n");
  assert.equal(
    mapStack(stack, MAP),
    [
      "Error: at /app/plugin/main.js, said the message",
      "    at f (/p/b.ts:3:5)",
      "    at /p/a.ts:1:1",
      "    at file:///app/plugin/main.js:1:1",
      "    at g (file:///app/guest.js:2:9)",
    ].join("\n"),
  );
  assert.equal(mapStack("at x (/other.js:2:1)", parseSourceMap(MAP), "/other.js"), "at x (/p/a.ts:1:1)");
});

Deno.test("parseSourceMap() rejects what is not a map of version 3", () => {
  for (
    const text of ["null", "{}", `{"version":2,"sources":[],"mappings":""}`, `{"version":3,"sources":[]}`]
  ) {
    assert.throws(() => parseSourceMap(text), TypeError);
  }
  const damaged = parseSourceMap(`{"version":3,"sources":["a"],"mappings":"A!"}`);
  assert.throws(() => originalPosition(damaged, 1, 1), /"!" is not a base 64 digit/);
});
