import assert from "node:assert/strict";
import { compareVersions, parseRange, parseVersion } from "../../src/util/semver.ts";

const v = (text: string) => {
  const version = parseVersion(text);
  assert.ok(version !== null, text);
  return version;
};

Deno.test("compareVersions() orders as semver.org does", () => {
  const ordered = [
    "1.0.0-alpha",
    "1.0.0-alpha.1",
    "1.0.0-alpha.beta",
    "1.0.0-beta",
    "1.0.0-beta.2",
    "1.0.0-beta.11",
    "1.0.0-rc.1",
    "1.0.0",
    "1.0.1",
    "1.2.0",
    "1.10.0",
    "2.0.0",
  ];
  for (const [i, a] of ordered.entries()) {
    for (const [j, b] of ordered.entries()) {
      assert.equal(Math.sign(compareVersions(v(a), v(b))), Math.sign(i - j), `${a} ${b}`);
    }
  }
  assert.equal(compareVersions(v("1.0.0+a"), v("1.0.0+b")), 0);
});

for (
  const text of [
    "1",
    "1.2",
    "v1.2.3",
    "1.2.3.4",
    "01.2.3",
    "1.2.3-",
    "1.2.3-01",
    "1.2.x",
    " 1.2.3",
    "",
    "a.b.c",
    "1.2.3-é",
  ]
) {
  Deno.test(`parseVersion() refuses ${JSON.stringify(text)}`, () => {
    assert.equal(parseVersion(text), null);
  });
}

const ranges: readonly (readonly [string, readonly string[], readonly string[]])[] = [
  ["1.2.3", ["1.2.3"], ["1.2.4", "1.2.2", "1.2.3-rc.1"]],
  ["=1.2.3", ["1.2.3"], ["1.2.4"]],
  ["^1.2.3", ["1.2.3", "1.9.0"], ["1.2.2", "2.0.0", "2.0.0-rc.1"]],
  ["^0.2.3", ["0.2.3", "0.2.9"], ["0.3.0", "0.2.2"]],
  ["^0.0.3", ["0.0.3"], ["0.0.4"]],
  ["^1", ["1.0.0", "1.9.9"], ["2.0.0", "0.9.9"]],
  ["^0", ["0.0.0", "0.9.9"], ["1.0.0"]],
  ["^0.0", ["0.0.9"], ["0.1.0"]],
  ["~1.2.3", ["1.2.3", "1.2.9"], ["1.3.0", "1.2.2"]],
  ["~1", ["1.0.0", "1.9.9"], ["2.0.0"]],
  [">=1.2 <3", ["1.2.0", "2.9.9"], ["1.1.9", "3.0.0"]],
  [">= 1.2", ["1.2.0"], ["1.1.9"]],
  [">1.2", ["1.3.0"], ["1.2.0", "1.2.9"]],
  [">1", ["2.0.0"], ["1.9.9"]],
  ["<=1.2", ["1.2.9"], ["1.3.0"]],
  ["<1.2", ["1.1.9"], ["1.2.0"]],
  ["1.x", ["1.0.0", "1.9.9"], ["2.0.0"]],
  ["1.2.*", ["1.2.0"], ["1.3.0"]],
  ["*", ["0.0.0", "9.9.9"], ["1.0.0-rc.1"]],
  ["", ["0.0.0"], []],
  ["<*", [], ["0.0.0"]],
  ["1.2.3 || >=2", ["1.2.3", "2.0.0"], ["1.2.4"]],
  [">=1.2.3-rc.1", ["1.2.3-rc.2", "1.2.3", "1.3.0"], ["1.3.0-rc.1", "1.2.3-beta"]],
];

for (const [range, inside, outside] of ranges) {
  Deno.test(`parseRange() reads ${JSON.stringify(range)}`, () => {
    const satisfies = parseRange(range);
    assert.ok(satisfies !== null);
    for (const text of inside) assert.equal(satisfies(v(text)), true, `${text} is in`);
    for (const text of outside) assert.equal(satisfies(v(text)), false, `${text} is out`);
  });
}

for (const range of ["latest", "1.2.3.4", "^", "1 - 2", "=>1", "1.2.3 ||| 2", "x".repeat(300)]) {
  Deno.test(`parseRange() refuses ${JSON.stringify(range.slice(0, 20))}`, () => {
    assert.equal(parseRange(range), null);
  });
}
