/** The published schema and the parser say the same. */

import assert from "node:assert/strict";
import { capabilityNames, profileNames } from "../../src/config/capabilities.ts";
import { limitKeys } from "../../src/config/limits.ts";
import { manifestKeys, pluginManifest } from "../../src/config/manifest.ts";
import { ConfigError } from "../../src/errors.ts";

interface Schema {
  readonly properties: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: unknown;
  readonly enum?: readonly string[];
  readonly items?: Schema;
  readonly pattern?: string;
}

const file = new URL("../../docs/manifest.schema.json", import.meta.url);
const schema: Schema = JSON.parse(await Deno.readTextFile(file));
const least = { name: "a", version: "1.0.0", entry: "main.ts" };

function property(...path: string[]): Schema {
  return path.reduce((at, key) => at.properties[key] ?? assert.fail(`the schema has ${path}`), schema);
}

function accepts(keys: object): boolean {
  try {
    pluginManifest({ ...least, ...keys }, "/plugins/a/cordon.json");
    return true;
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return false;
  }
}

Deno.test("The manifest's schema has exactly the keys of the parser", () => {
  assert.deepEqual(Object.keys(schema.properties).sort(), [...manifestKeys()].sort());
  assert.equal(schema.additionalProperties, false);
});

Deno.test("The manifest's schema has exactly the limits and permissions of the parser", () => {
  assert.deepEqual(Object.keys(property("limits").properties).sort(), [...limitKeys].sort());
  for (const name of ["read", "write", "net", "env", "sys", "unix", "ffi"]) {
    assert.equal(accepts({ permissions: { [name]: [] } }), name in property("permissions").properties, name);
  }
});

Deno.test("The manifest's schema has the capabilities and profiles of the parser", () => {
  assert.deepEqual(property("capabilities").items?.enum, capabilityNames);
  assert.deepEqual(property("profile").enum, profileNames);
});

for (
  const [key, values] of [
    ["name", ["a", "a-b", "A", "-a", "a_b", "", "../a", "x".repeat(64), "x".repeat(65)]],
    ["version", ["1.2.3", "1.2.3-rc.1", "1.2.3+build", "1.2", "v1.2.3", "01.2.3", ""]],
  ] as const
) {
  Deno.test(`The manifest's schema and the parser accept the same ${key}s`, () => {
    const pattern = new RegExp(property(key).pattern ?? assert.fail());
    for (const value of values) assert.equal(accepts({ [key]: value }), pattern.test(value), value);
  });
}
