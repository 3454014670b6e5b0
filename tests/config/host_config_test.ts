import assert from "node:assert/strict";
import { hostConfig } from "../../src/config/host_config.ts";
import { assertConfigError } from "./assert_config_error.ts";
import { environment } from "./environment.ts";

Deno.test("hostConfig() fills every default", () => {
  assert.deepEqual(hostConfig(undefined, environment()), {
    services: {},
    sandbox: "required",
    limits: {},
    profile: null,
    callTimeoutMs: 0,
    warm: 0,
    handleSignals: true,
    bwrap: null,
    deno: null,
    runAs: { uid: 65534, gid: 65534 },
    cuda: { ipc: null, fallback: "host-copy" },
    cacheDirectory: "/tmp/cordon-1000/cache",
    runtimeDirectory: "/tmp/cordon-1000",
    output: "inherit",
    onPermission: null,
    sinks: [],
  });
});

Deno.test("hostConfig() freezes what it returns, all the way down to the services", () => {
  const service = { get: () => 1 };
  const config = hostConfig(
    { services: { db: service }, runAs: { uid: 5, gid: 6 }, limits: { tmp: 1 } },
    environment(),
  );
  for (const part of [config, config.services, config.runAs, config.limits]) assert.ok(Object.isFrozen(part));
  assert.equal(config.services["db"], service);
  assert.equal(Object.isFrozen(service), false);
});

Deno.test("hostConfig() makes paths absolute", () => {
  const config = hostConfig(
    { bwrap: "bin/bwrap", deno: "/opt/../usr/bin/deno", cacheDirectory: "../cache" },
    environment(),
  );
  assert.equal(config.bwrap, "/home/me/project/bin/bwrap");
  assert.equal(config.deno, "/usr/bin/deno");
  assert.equal(config.cacheDirectory, "/home/me/cache");
});

const directories: readonly (readonly [string, Parameters<typeof environment>[0], string, string])[] = [
  [
    "uses the directories of the user",
    {
      env: { HOME: "/home/me", XDG_RUNTIME_DIR: "/run/user/1000" },
      owners: { "/home/me": 1000, "/run/user/1000": 1000 },
    },
    "/home/me/.cache/cordon",
    "/run/user/1000/cordon",
  ],
  [
    "prefers XDG_CACHE_HOME",
    {
      env: { HOME: "/home/me", XDG_CACHE_HOME: "/data/cache/" },
      owners: { "/home/me": 1000, "/data/cache/": 1000 },
    },
    "/data/cache/cordon",
    "/tmp/cordon-1000",
  ],
  [
    "ignores directories of another account, as after sudo",
    {
      env: { HOME: "/root", XDG_RUNTIME_DIR: "/run/user/0" },
      owners: { "/root": 0, "/run/user/0": 0 },
      uid: 65534,
    },
    "/tmp/cordon-65534/cache",
    "/tmp/cordon-65534",
  ],
  [
    "keeps root's sandboxes out of the directory of root's login, which their account cannot enter",
    {
      env: { HOME: "/root", XDG_RUNTIME_DIR: "/run/user/0" },
      owners: { "/root": 0, "/run/user/0": 0 },
      uid: 0,
    },
    "/root/.cache/cordon",
    "/tmp/cordon-0",
  ],
  [
    "ignores relative directories",
    {
      env: { HOME: "me", XDG_RUNTIME_DIR: "run", XDG_CACHE_HOME: "" },
      owners: { me: 1000, run: 1000, "": 1000 },
    },
    "/tmp/cordon-1000/cache",
    "/tmp/cordon-1000",
  ],
];

for (const [claim, around, cache, runtime] of directories) {
  Deno.test(`hostConfig() ${claim}`, () => {
    const config = hostConfig({}, environment(around));
    assert.equal(config.cacheDirectory, cache);
    assert.equal(config.runtimeDirectory, runtime);
  });
}

const refused: readonly (readonly [unknown, string, string])[] = [
  [{ sandbx: "required" }, "sandbx", 'Cannot use "sandbx" as an option: "sandbx" is not known, "sandbox" is'],
  [{ zzzzz: 1 }, "zzzzz", 'Cannot use "zzzzz" as an option: "zzzzz" is not known'],
  [
    { __proto__: null, constructor: 1 },
    "constructor",
    'Cannot use "constructor" as an option: "constructor" is not known',
  ],
  [null, "options", 'Cannot use "options" as an object of options: it is null'],
  [[], "options", 'Cannot use "options" as an object of options: it is an array'],
  ["x", "options", 'Cannot use "options" as an object of options: it is "x"'],
  [new Map(), "options", 'Cannot use "options" as an object of options: it is an object'],
  [
    { sandbox: "strict" },
    "sandbox",
    'Cannot use "sandbox" as one of "required", "best-effort", "permissions-only": it is "strict"',
  ],
  [{ sandbox: "disabled" }, "sandbox", 'Cannot use "sandbox" as a sandbox mode: it is "disabled"'],
  [{ sandbox: false }, "sandbox", 'Cannot use "sandbox" as a sandbox mode: it is false'],
  [
    { sandbox: "required", sandboxMode: "required" },
    "sandboxMode",
    'Cannot use "sandboxMode" as an option: "sandbox" says the same thing',
  ],
  [{ services: { db: 1 } }, "services.db", 'Cannot use "services.db" as a service: it is 1'],
  [{ services: { db: null } }, "services.db", 'Cannot use "services.db" as a service: it is null'],
  [
    { services: { "a b": {} } },
    "services.a b",
    'Cannot use "services.a b" as the name of a service: it is "a b"',
  ],
  [
    { services: { then: {} } },
    "services.then",
    'Cannot use "services.then" as the name of a service: it means something else',
  ],
  [
    { runAs: { uid: 0, gid: 1 } },
    "runAs.uid",
    'Cannot use "runAs.uid" as an unprivileged uid: 0 is less than 1',
  ],
  [{ runAs: { uid: 1 } }, "runAs.gid", 'Cannot use "runAs" as an account: "runAs.gid" is missing'],
  [{ bwrap: "" }, "bwrap", 'Cannot use "bwrap" as a path: it is ""'],
  [{ bwrap: "a\0b" }, "bwrap", 'Cannot use "bwrap" as a path: "a\\u0000b" contains a NUL character'],
  [{ deno: "~/deno" }, "deno", 'Cannot use "deno" as a path: "~/deno" begins with "~"'],
  [{ deno: "https://x.y/deno" }, "deno", 'Cannot use "deno" as a path: "https://x.y/deno" is a URL'],
  [
    { callTimeoutMs: -1 },
    "callTimeoutMs",
    'Cannot use "callTimeoutMs" as a number of milliseconds: -1 is less than 0',
  ],
  [
    { callTimeoutMs: 2 ** 31 },
    "callTimeoutMs",
    'Cannot use "callTimeoutMs" as a number of milliseconds: 2147483648 is more than 2147483647',
  ],
  [
    { callTimeoutMs: "30s" },
    "callTimeoutMs",
    'Cannot use "callTimeoutMs" as a number of milliseconds: it is "30s"',
  ],
  [{ output: "pipe" }, "output", 'Cannot use "output" as one of "inherit", "ignore": it is "pipe"'],
  [{ onPermission: "allow" }, "onPermission", 'Cannot use "onPermission" as a function: it is "allow"'],
  [{ sinks: [{}] }, "sinks[0]", 'Cannot use "sinks[0]" as a sink: it is an object'],
  [
    { limits: { memry: 1 } },
    "limits.memry",
    'Cannot use "limits.memry" as an option: "memry" is not known, "memory" is',
  ],
];

for (const [options, path, message] of refused) {
  Deno.test(`hostConfig() refuses: ${message}`, () => {
    assertConfigError(() => hostConfig(options, environment()), { path, message });
  });
}

Deno.test("hostConfig() hints at the nearest option", () => {
  assertConfigError(() => hostConfig({ sandbx: 1 }, environment()), {
    path: "sandbx",
    message: 'Cannot use "sandbx" as an option: "sandbx" is not known, "sandbox" is',
    hint: 'Did you mean "sandbox"?',
  });
});

Deno.test("hostConfig() ignores keys whose value is undefined", () => {
  assert.equal(hostConfig({ sandbox: undefined, limits: undefined }, environment()).sandbox, "required");
});

Deno.test("hostConfig() takes functions and sinks as they are", () => {
  const [output, onPermission, sink] = [() => {}, () => "deny" as const, { emit: () => {} }];
  const config = hostConfig({ output, onPermission, sinks: [sink] }, environment());
  assert.deepEqual([config.output, config.onPermission, config.sinks[0]], [output, onPermission, sink]);
});
