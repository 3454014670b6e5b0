import assert from "node:assert/strict";
import { parseImportMap, resolveByMap } from "../../src/bundle/import_map.ts";

const BASE = "file:///p/deno.json";
const resolve = (map: object, specifier: string, importer = "file:///p/main.ts") =>
  resolveByMap(parseImportMap(map, BASE), specifier, importer);

Deno.test("resolveByMap() prefers the longest key", () => {
  const map = { imports: { "a/": "./x/", "a/b/": "./y/", "a": "./z.ts" } };
  assert.equal(resolve(map, "a/b/c.ts"), "file:///p/y/c.ts");
  assert.equal(resolve(map, "a/c.ts"), "file:///p/x/c.ts");
  assert.equal(resolve(map, "a"), "file:///p/z.ts");
  assert.equal(resolve(map, "ab"), undefined);
});

Deno.test("resolveByMap() maps what lies below a package of npm: or jsr:", () => {
  const map = { imports: { p: "npm:preact@10", "@std/x": "jsr:@std/x@1", local: "./l.ts" } };
  assert.equal(resolve(map, "p/hooks"), "npm:preact@10/hooks");
  assert.equal(resolve(map, "@std/x/y"), "jsr:@std/x@1/y");
  assert.equal(resolve(map, "local/y"), undefined);
  assert.equal(resolve(map, "pp"), undefined);
});

Deno.test("resolveByMap() applies scopes to importers below them, and falls back to the imports", () => {
  const map = {
    imports: { a: "./1.ts", b: "./b.ts" },
    scopes: { "./s/": { a: "./2.ts" }, "./s/t/": { a: "./3.ts" } },
  };
  assert.equal(resolve(map, "a", "file:///p/s/m.ts"), "file:///p/2.ts");
  assert.equal(resolve(map, "a", "file:///p/s/t/m.ts"), "file:///p/3.ts");
  assert.equal(resolve(map, "b", "file:///p/s/m.ts"), "file:///p/b.ts");
  assert.equal(resolve(map, "a", "file:///p/so.ts"), "file:///p/1.ts");
});

Deno.test("resolveByMap() blocks what is mapped to null and maps URLs", () => {
  const map = { imports: { "a": null, "b/": null, "./old.ts": "./new.ts", "https://x.test/": "./vendor/" } };
  assert.equal(resolve(map, "a"), null);
  assert.equal(resolve(map, "b/c"), null);
  assert.equal(resolve(map, "file:///p/old.ts"), "file:///p/new.ts");
  assert.equal(resolve(map, "https://x.test/m.ts"), "file:///p/vendor/m.ts");
});

Deno.test("parseImportMap() takes no names from the prototype", () => {
  for (const name of ["constructor", "__proto__", "toString"]) {
    assert.equal(resolve({ imports: {} }, name), undefined);
  }
});
