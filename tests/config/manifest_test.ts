import assert from "node:assert/strict";
import { pluginManifest } from "../../src/config/manifest.ts";
import { assertConfigError } from "./assert_config_error.ts";

const file = "/plugins/resize/cordon.json";
const least = { name: "resize", version: "1.2.3", entry: "./main.ts" };

Deno.test("pluginManifest() reads every key", () => {
  const manifest = pluginManifest({
    ...least,
    apiVersion: "1.4",
    description: "Makes images smaller",
    license: "MIT OR Apache-2.0",
    authors: ["A. Person <a@example.com>"],
    capabilities: ["fs:read", "service:call"],
    dependencies: [{ name: "codecs", version: "^2" }, { name: "cache", optional: true }],
    exports: ["run", "rows"],
    tags: ["image"],
    metadata: { category: "daemon" },
    permissions: { read: ["./data", "/srv/images"], net: ["example.com:443"], env: ["LANG"], sys: ["uid"] },
    services: { db: ["lookup"] },
    limits: { memory: "64MiB" },
    profile: "data-processing",
    bundle: false,
  }, file);
  assert.deepEqual(manifest, {
    file,
    name: "resize",
    version: "1.2.3",
    apiVersion: { major: 1, minor: 4 },
    description: "Makes images smaller",
    license: "MIT OR Apache-2.0",
    authors: ["A. Person <a@example.com>"],
    capabilities: ["fs:read", "service:call"],
    dependencies: [
      { name: "codecs", version: "^2", optional: false },
      { name: "cache", version: "*", optional: true },
    ],
    exports: ["run", "rows"],
    tags: ["image"],
    metadata: { category: "daemon" },
    entry: "file:///plugins/resize/main.ts",
    permissions: {
      read: [
        { source: "/plugins/resize/data", target: "/plugins/resize/data" },
        { source: "/srv/images", target: "/srv/images" },
      ],
      write: [],
      net: { kind: "proxy", allow: ["example.com:443"] },
      env: { LANG: "" },
      sys: ["uid"],
      unix: [],
    },
    services: { db: ["lookup"] },
    limits: { memory: 64 * 2 ** 20 },
    profile: "data-processing",
    bundle: false,
  });
});

Deno.test("pluginManifest() takes name, version and entry from the surrounding deno.json", () => {
  const manifest = pluginManifest({}, file, { name: "@me/resize", version: "0.1.0", entry: "./mod.ts" });
  assert.deepEqual([manifest.name, manifest.version, manifest.entry], [
    "resize",
    "0.1.0",
    "file:///plugins/resize/mod.ts",
  ]);
  assert.deepEqual([manifest.permissions, manifest.capabilities, manifest.exports], [null, null, null]);
});

Deno.test("pluginManifest() reads the older spellings", () => {
  const manifest = pluginManifest({
    name: "a",
    version: "1.0.0",
    source: "a.ts",
    "api-version": { major: 0, minor: 21, patch: 0 },
    dependencies: { b: "~1.2" },
  }, file);
  assert.deepEqual(manifest.apiVersion, { major: 0, minor: 21 });
  assert.equal(manifest.entry, "file:///plugins/resize/a.ts");
  assert.deepEqual(manifest.dependencies, [{ name: "b", version: "~1.2", optional: false }]);
});

const refused: readonly (readonly [object, string, string])[] = [
  [{ nam: 1 }, "nam", 'Cannot use "nam" as an option: "nam" is not known, "name" is'],
  [{ version: undefined }, "version", 'Cannot use the manifest as a plugin\'s: "version" is missing'],
  [
    { name: "Resize" },
    "name",
    'Cannot use "name" as a name of small letters, digits and hyphens: it is "Resize"',
  ],
  [
    { name: "../x" },
    "name",
    'Cannot use "name" as a name of small letters, digits and hyphens: it is "../x"',
  ],
  [{ version: "1.2" }, "version", 'Cannot use "version" as a version: it is "1.2"'],
  [
    { entry: "../other/main.ts" },
    "entry",
    'Cannot use "entry" as a path below the manifest\'s directory: "../other/main.ts" leads out of it',
  ],
  [
    { entry: "/etc/x.ts" },
    "entry",
    'Cannot use "entry" as a path below the manifest\'s directory: "/etc/x.ts" leads out of it',
  ],
  [
    { entry: "https://x.y/z.ts" },
    "entry",
    'Cannot use "entry" as a path below the manifest\'s directory: it is "https://x.y/z.ts"',
  ],
  [{ source: "./b.ts" }, "source", 'Cannot use "source" as an option: "entry" says the same thing'],
  [{ apiVersion: "1" }, "apiVersion", 'Cannot use "apiVersion" as an API version: it is "1"'],
  [
    { apiVersion: { minor: 1 } },
    "apiVersion",
    'Cannot use "apiVersion" as an API version: its major number is missing',
  ],
  [{ metadata: { daemon: true } }, "metadata.daemon", 'Cannot use "metadata.daemon" as text: it is true'],
  [{ exports: ["a-b"] }, "exports[0]", 'Cannot use "exports[0]" as the name of an export: it is "a-b"'],
  [
    { capabilities: ["process:exec"] },
    "capabilities[0]",
    'Cannot use "capabilities[0]" as a capability: "process:exec" is not one that can be enforced',
  ],
  [
    { dependencies: [{ name: "a", version: "latest" }] },
    "dependencies[0].version",
    'Cannot use "dependencies[0].version" as a range of versions: it is "latest"',
  ],
  [
    { dependencies: [{ version: "1" }] },
    "dependencies[0]",
    'Cannot use "dependencies[0]" as a dependency: "name" is missing',
  ],
  [
    { dependencies: [{ name: "a" }, { name: "a" }] },
    "dependencies",
    'Cannot use "dependencies" as dependencies: "a" stands there twice',
  ],
  [
    { permissions: { env: { A: "x" } } },
    "permissions.env",
    'Cannot use "permissions.env" as a list: it is an object',
  ],
  [
    { permissions: { read: { "/a": "/b" } } },
    "permissions.read",
    'Cannot use "permissions.read" as a list: it is an object',
  ],
  [
    { permissions: { run: [] } },
    "permissions.run",
    'Cannot use "permissions.run" as a permission: a plugin never starts programs',
  ],
  [
    { profile: "desktop" },
    "profile",
    'Cannot use "profile" as one of "terminal", "observability", "orchestration", "data-processing", "web-service", ' +
    '"testing": it is "desktop"',
  ],
];

for (const [keys, path, message] of refused) {
  Deno.test(`pluginManifest() refuses: ${message}`, () => {
    assertConfigError(() => pluginManifest({ ...least, ...keys }, file), {
      path,
      message: `${message}, in "${file}"`,
    });
  });
}

Deno.test("pluginManifest() says what to use instead of a capability that nothing enforces", () => {
  assertConfigError(() => pluginManifest({ ...least, capabilities: ["fs:delete"] }, file), {
    path: "capabilities[0]",
    message:
      `Cannot use "capabilities[0]" as a capability: "fs:delete" is not one that can be enforced, in "${file}"`,
    hint: 'Who may write may delete: use "fs:write"',
  });
});
