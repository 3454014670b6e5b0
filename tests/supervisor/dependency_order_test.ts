import assert from "node:assert/strict";
import { pluginManifest } from "../../src/config/mod.ts";
import { checkApiVersion, dependencyOrder } from "../../src/supervisor/dependency_order.ts";
import { assertConfigError } from "../config/assert_config_error.ts";

function plugin(
  name: string,
  dependencies: unknown = {},
  version = "1.0.0",
  file = `/plugins/${name}/cordon.json`,
) {
  return pluginManifest({ name, version, dependencies, entry: "main.ts" }, file);
}

const names = (manifests: readonly { readonly name: string }[]) => manifests.map((manifest) => manifest.name);

Deno.test("dependencyOrder() puts dependencies first and the rest by name", () => {
  const manifests = [
    plugin("app", { db: "^1", log: "*" }),
    plugin("log"),
    plugin("db", { log: "1.x" }),
    plugin("zoo"),
    plugin("ant"),
  ];
  assert.deepEqual(names(dependencyOrder(manifests)), ["ant", "log", "db", "app", "zoo"]);
  assert.deepEqual(names(dependencyOrder(manifests.toReversed())), ["ant", "log", "db", "app", "zoo"]);
});

Deno.test("dependencyOrder() does without an optional dependency, and respects one that is there", () => {
  const optional = [{ name: "zcache", optional: true }];
  assert.deepEqual(names(dependencyOrder([plugin("app", optional)])), ["app"]);
  assert.deepEqual(names(dependencyOrder([plugin("app", optional), plugin("zcache")])), ["zcache", "app"]);
});

const refused: readonly (readonly [string, ReturnType<typeof plugin>[], string, string, string?])[] = [
  [
    "two plugins of one name, naming both files",
    [plugin("a"), plugin("a", {}, "1.0.0", "/other/cordon.json")],
    "name",
    'Cannot use "a" as the name of a plugin: "/plugins/a/cordon.json" and "/other/cordon.json" both do',
  ],
  [
    "a dependency that is missing",
    [plugin("app", { loger: "^1" }), plugin("logger")],
    "dependencies",
    'Cannot load plugin "app" as its dependencies ask: it needs "loger" ^1, which is not there',
    'Did you mean "logger"?',
  ],
  [
    "a dependency of another version, naming both",
    [plugin("app", { db: "^2" }), plugin("db", {}, "1.9.0")],
    "dependencies",
    'Cannot load plugin "app" as its dependencies ask: it needs "db" ^2, "/plugins/db/cordon.json" is 1.9.0',
  ],
  [
    "an optional dependency of another version",
    [plugin("app", [{ name: "db", version: "^2", optional: true }]), plugin("db")],
    "dependencies",
    'Cannot load plugin "app" as its dependencies ask: it needs "db" ^2, "/plugins/db/cordon.json" is 1.0.0',
  ],
  [
    "a circle, naming it",
    [plugin("a", { b: "*" }), plugin("b", { c: "*" }), plugin("c", { b: "*" })],
    "dependencies",
    'Cannot order plugins by their dependencies: "b" needs "c" needs "b"',
  ],
  [
    "a plugin that needs itself",
    [plugin("a", { a: "*" })],
    "dependencies",
    'Cannot order plugins by their dependencies: "a" needs "a"',
  ],
];

for (const [what, manifests, path, message, hint] of refused) {
  Deno.test(`dependencyOrder() refuses ${what}`, () => {
    assertConfigError(() => dependencyOrder(manifests), {
      path,
      message,
      ...(hint === undefined ? {} : { hint }),
    });
  });
}

function forApi(apiVersion: string) {
  return pluginManifest(
    { name: "a", version: "1.0.0", entry: "main.ts", apiVersion },
    "/plugins/a/cordon.json",
  );
}

for (const version of ["1.0", "1.3", "1.4", "1.4.9"]) {
  Deno.test(`checkApiVersion() accepts a plugin for API ${version} on a host with 1.4`, () => {
    checkApiVersion(forApi(version), { major: 1, minor: 4 });
  });
}

for (
  const [version, hint] of [
    ["1.5", "Use a newer host"],
    ["2.0", 'Adapt "/plugins/a/cordon.json" to API 1.4'],
    ["0.9", 'Adapt "/plugins/a/cordon.json" to API 1.4'],
  ] as const
) {
  Deno.test(`checkApiVersion() refuses a plugin for API ${version} on a host with 1.4 and names both`, () => {
    assertConfigError(() => checkApiVersion(forApi(version), { major: 1, minor: 4 }), {
      path: "apiVersion",
      message: `Cannot load plugin "a" as one for this host: it needs API ${version}, the host offers 1.4`,
      hint,
    });
  });
}
