import assert from "node:assert/strict";
import { grantedConfig } from "../../src/config/granted.ts";
import { hostConfig } from "../../src/config/host_config.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { pluginManifest } from "../../src/config/manifest.ts";
import { PermissionDeniedError } from "../../src/errors.ts";
import { assertConfigError } from "./assert_config_error.ts";
import { environment } from "./environment.ts";

const around = environment({ env: { LANG: "C", USER: "me" } });
const host = hostConfig({ services: { db: { get() {}, set() {} }, log: { write() {} } } }, around);

function granted(options: object, keys: object) {
  const config = loadConfig("/plugins/a/main.ts", options, host, around);
  const manifest = pluginManifest(
    { name: "a", version: "1.0.0", entry: "main.ts", ...keys },
    "/plugins/a/cordon.json",
  );
  return grantedConfig(config, manifest);
}

Deno.test("grantedConfig() gives what is asked for, not all that is allowed", () => {
  const { permissions, services } = granted({
    permissions: {
      read: ["/srv"],
      write: ["/tmp/out"],
      net: ["a.example:443", "b.example:443"],
      env: ["LANG", "USER"],
      sys: ["uid", "gid"],
      unix: ["/run/x.sock"],
    },
    services: ["db", "log"],
  }, {
    permissions: { read: ["/srv/images"], net: ["b.example:443"], env: ["LANG"], sys: ["gid"] },
    services: ["db"],
  });
  assert.deepEqual(permissions, {
    read: [{ source: "/srv/images", target: "/srv/images" }],
    write: [],
    net: { kind: "proxy", allow: ["b.example:443"] },
    env: { LANG: "C" },
    sys: ["gid"],
    unix: [],
  });
  assert.deepEqual(services, { db: "all" });
});

Deno.test("grantedConfig() changes nothing where the manifest asks for nothing in particular", () => {
  const { permissions, services } = granted({ permissions: { read: ["/srv"] }, services: ["db"] }, {});
  assert.deepEqual(permissions.read, [{ source: "/srv", target: "/srv" }]);
  assert.deepEqual(services, { db: "all" });
});

Deno.test("grantedConfig() finds asked paths where the host mounts them", () => {
  const { permissions } = granted({ permissions: { read: { "/srv/v2": "/data" } } }, {
    permissions: { read: ["/data/x"] },
  });
  assert.deepEqual(permissions.read, [{ source: "/srv/v2/x", target: "/data/x" }]);
});

Deno.test("grantedConfig() lets who may write read", () => {
  const { permissions } = granted({ permissions: { write: ["/w"] } }, { permissions: { read: ["/w/x"] } });
  assert.deepEqual([permissions.read, permissions.write], [[{ source: "/w/x", target: "/w/x" }], []]);
});

Deno.test("grantedConfig() keeps the host's choice of methods when the whole service is asked for", () => {
  assert.deepEqual(granted({ services: { db: ["get"] } }, { services: ["db"] }).services, { db: ["get"] });
  assert.deepEqual(granted({ services: ["db"] }, { services: { db: ["get"] } }).services, { db: ["get"] });
});

for (
  const [allowed, asked] of [
    ["*.example.com:443", "a.example.com:443"],
    ["*.example.com:443", "a.b.example.com:443"],
    ["*.example.com:443", "*.b.example.com:443"],
    ["*.example.com:443", "*.example.com:443"],
  ] as const
) {
  Deno.test(`grantedConfig() finds ${asked} within ${allowed}`, () => {
    const { permissions } = granted({ permissions: { net: [allowed] } }, { permissions: { net: [asked] } });
    assert.deepEqual(permissions.net, { kind: "proxy", allow: [asked] });
  });
}

const refused: readonly (readonly [string, object, object, string])[] = [
  [
    "a path that is not granted",
    {},
    { permissions: { read: ["/srv"] } },
    'permissions.read "/srv" (allowed: nothing)',
  ],
  [
    "a path beside the granted one",
    { permissions: { read: ["/srv"] } },
    { permissions: { read: ["/srv2"] } },
    'permissions.read "/srv2" (allowed: "/srv")',
  ],
  [
    "the parent of a granted path",
    { permissions: { read: ["/srv/a"] } },
    { permissions: { read: ["/srv"] } },
    'permissions.read "/srv" (allowed: "/srv/a")',
  ],
  [
    "writing where reading is granted",
    { permissions: { read: ["/srv"] } },
    { permissions: { write: ["/srv/x"] } },
    'permissions.write "/srv/x" (allowed: nothing)',
  ],
  [
    "the source of a mapped path",
    { permissions: { read: { "/srv": "/data" } } },
    { permissions: { read: ["/srv"] } },
    'permissions.read "/srv" (allowed: "/data")',
  ],
  [
    "another port",
    { permissions: { net: ["a.example:443"] } },
    { permissions: { net: ["a.example:80"] } },
    'permissions.net "a.example:80" (allowed: "a.example:443")',
  ],
  [
    "a name that only ends like an allowed one",
    { permissions: { net: ["*.example.com:443"] } },
    { permissions: { net: ["evilexample.com:443"] } },
    'permissions.net "evilexample.com:443" (allowed: "*.example.com:443")',
  ],
  [
    "the name above an allowed pattern",
    { permissions: { net: ["*.example.com:443"] } },
    { permissions: { net: ["example.com:443"] } },
    'permissions.net "example.com:443" (allowed: "*.example.com:443")',
  ],
  [
    "the whole network",
    { permissions: { net: ["a.example:443"] } },
    { permissions: { net: "host" } },
    'permissions.net "host" (allowed: "a.example:443")',
  ],
  [
    "a variable",
    { permissions: { env: ["LANG"] } },
    { permissions: { env: ["USER"] } },
    'permissions.env "USER" (allowed: "LANG")',
  ],
  ["a service", { services: ["log"] }, { services: ["db"] }, 'services "db" (allowed: "log")'],
  [
    "a method",
    { services: { db: ["get"] } },
    { services: { db: ["set"] } },
    'services.db "set" (allowed: "get")',
  ],
  [
    "more memory",
    { limits: { memory: "64MiB" } },
    { limits: { memory: "1GiB" } },
    "limits.memory 1GiB (allowed: 64MiB)",
  ],
];

for (const [what, options, keys, shortfall] of refused) {
  Deno.test(`grantedConfig() refuses ${what} and names what is asked and what is allowed`, () => {
    assert.throws(() => granted(options, keys), (error) => {
      assert.ok(error instanceof PermissionDeniedError);
      assert.equal(
        error.message,
        `Cannot load plugin "a" as "/plugins/a/cordon.json" asks: the host does not allow ${shortfall}`,
      );
      return true;
    });
  });
}

Deno.test("grantedConfig() refuses permissions that the manifest's own capabilities leave out", () => {
  assertConfigError(
    () => granted({ permissions: { read: ["/srv"] } }, { capabilities: [], permissions: { read: ["/srv"] } }),
    {
      path: "capabilities",
      message:
        'Cannot use "/plugins/a/cordon.json" as a manifest: it asks for "fs:read" without declaring it',
      hint: 'Add "fs:read" to "capabilities"',
    },
  );
});

Deno.test("A profile refuses what it does not allow before anything is started, and sets limits", () => {
  const observing = hostConfig({ profile: "observability", limits: { memory: "64MiB" } }, around);
  assert.deepEqual(observing.limits, { wallMs: 5_000, memory: 64 * 2 ** 20 });
  assert.equal(
    loadConfig("a.ts", { permissions: { read: ["/srv"] } }, observing, around).limits.wallMs,
    5_000,
  );
  assert.throws(() => loadConfig("a.ts", { permissions: { write: ["/srv"] } }, observing, around), {
    name: "PermissionDeniedError",
    message: 'Cannot load plugin "a" as profile "observability" allows: it uses "fs:write"',
  });
});
