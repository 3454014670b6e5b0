import assert from "node:assert/strict";
import { hostConfig } from "../../src/config/host_config.ts";
import { loadConfig } from "../../src/config/load_config.ts";
import { restartConfig } from "../../src/config/restart.ts";
import { watchConfig } from "../../src/config/watch.ts";
import { assertConfigError } from "./assert_config_error.ts";
import { environment } from "./environment.ts";

class Database {
  _secret = 1;
  lookup(): void {}
  store(): void {}
}

const around = environment({ env: { LANG: "C", HOME: "/home/me" } });
const host = hostConfig({ services: { db: new Database(), log: { write() {} } } }, around);
const load = (options: unknown, entry: string | URL = "./resize.ts") =>
  loadConfig(entry, options, host, around);

Deno.test("loadConfig() fills every default", () => {
  assert.deepEqual(load(undefined), {
    name: "resize",
    entry: "file:///home/me/project/resize.ts",
    permissions: { read: [], write: [], net: { kind: "none" }, env: {}, sys: [], unix: [] },
    services: {},
    sharedNamespaces: [],
    limits: {
      memoryBytes: 512 * 2 ** 20,
      cpuPercent: null,
      cpuSeconds: null,
      wallMs: null,
      processes: 64,
      openFiles: 256,
      fileSizeBytes: 64 * 2 ** 20,
      tmpBytes: 0,
      tmpInodes: 1024,
      workers: 0,
      outputBytes: 16 * 2 ** 20,
      enforce: {
        memory: "best-effort",
        cpuPercent: "best-effort",
        cpuSeconds: "best-effort",
        wallMs: "best-effort",
        processes: "best-effort",
        openFiles: "best-effort",
        fileSize: "best-effort",
        tmp: "best-effort",
        tmpInodes: "best-effort",
        workers: "best-effort",
        output: "best-effort",
      },
    },
    sandbox: "required",
    timeoutMs: 0,
    startupTimeoutMs: 10_000,
    shutdownGraceMs: 2_000,
    maxFrameBytes: 2 ** 24,
    gpu: false,
    restart: restartConfig(false, "restart"),
    idempotent: [],
    watch: watchConfig(false, "watch"),
    heartbeatMs: 0,
    output: "inherit",
    onPermission: null,
    learn: false,
  });
});

Deno.test("loadConfig() freezes everything that it returns", () => {
  const config = load({
    permissions: { read: { "/a": "/b" }, net: ["x.example"], env: ["LANG"], sys: ["uid"], unix: ["/s"] },
    services: { db: ["lookup"] },
  });
  const open: string[] = [];
  const visit = (value: unknown, path: string): void => {
    if (typeof value !== "object" || value === null) return;
    if (!Object.isFrozen(value)) open.push(path);
    for (const [key, inner] of Object.entries(value)) visit(inner, `${path}.${key}`);
  };
  visit(config, "config");
  assert.deepEqual(open, []);
});

const entries: readonly (readonly [string | URL, string, string])[] = [
  ["./resize.ts", "resize", "file:///home/me/project/resize.ts"],
  ["/opt/a b.test.ts", "a-b.test", "file:///opt/a%20b.test.ts"],
  ["file:///opt/x.js?v=1", "x", "file:///opt/x.js"],
  ["https://example.com/a/b.ts?x#y", "b", "https://example.com/a/b.ts?x#y"],
  ["jsr:@std/cli@^1", "cli", "jsr:@std/cli@^1"],
  ["npm:@scope/pkg@1.2.3/sub.js", "sub", "npm:@scope/pkg@1.2.3/sub.js"],
  ["npm:chalk@5", "chalk", "npm:chalk@5"],
  [new URL("file:///opt/é.ts"), "plugin", "file:///opt/%C3%A9.ts"],
  ["...ts", "plugin", "file:///home/me/project/...ts"],
];

for (const [entry, name, url] of entries) {
  Deno.test(`loadConfig() reads entry ${entry} as ${url}, named ${name}`, () => {
    const config = load({}, entry);
    assert.deepEqual([config.name, config.entry], [name, url]);
  });
}

for (
  const [label, entry] of [
    ["http:", "http://example.com/x.ts"],
    ["data:", "data:text/javascript,1"],
    ["blob:", "blob:null/1"],
    ["node:", "node:fs"],
    ["a file: URL with a host", "file://server/share/x.ts"],
    ["a NUL", "a\0.ts"],
    ["an encoded slash", "file:///a%2fb.ts"],
    ["an encoded NUL", "file:///a%00b.ts"],
    ["an empty string", ""],
    ["a home directory", "~/x.ts"],
  ] as const
) {
  Deno.test(`loadConfig() refuses ${label} as an entry`, () => {
    assert.throws(() => load({}, entry), { name: "ConfigError", path: "entry" });
  });
}

Deno.test("loadConfig() takes limits of the plugin before those of the host, key by key", () => {
  const strict = hostConfig({
    limits: { memory: "1GiB", cpuPercent: 50, enforce: { memory: "best-effort" } },
  }, around);
  const { limits } = loadConfig("x.ts", { limits: { memory: "64MiB", tmp: "1MB" } }, strict, around);
  assert.equal(limits.memoryBytes, 64 * 2 ** 20);
  assert.equal(limits.cpuPercent, 50);
  assert.equal(limits.tmpBytes, 1_000_000);
  assert.deepEqual(
    [limits.enforce.memory, limits.enforce.cpuPercent, limits.enforce.tmp, limits.enforce.output],
    ["best-effort", "required", "required", "best-effort"],
  );
});

for (
  const [written, key, expected] of [
    [{ maxMemoryBytes: 2 ** 28 }, "memoryBytes", 2 ** 28],
    [{ memoryBytes: 2 ** 28 }, "memoryBytes", 2 ** 28],
    [{ maxMemory: "256MiB" }, "memoryBytes", 2 ** 28],
    [{ maxCpuPercent: 25 }, "cpuPercent", 25],
    [{ maxCpuSeconds: 3 }, "cpuSeconds", 3],
    [{ timeoutMs: 500 }, "wallMs", 500],
    [{ maxProcesses: 20 }, "processes", 20],
    [{ pids: 20 }, "processes", 20],
    [{ maxOpenFiles: 100 }, "openFiles", 100],
    [{ maxFileSizeBytes: 9 }, "fileSizeBytes", 9],
    [{ maxTmpBytes: 9 }, "tmpBytes", 9],
    [{ maxOutputBytes: 9 }, "outputBytes", 9],
  ] as const
) {
  Deno.test(`loadConfig() takes the spelling limits.${Object.keys(written)[0]}`, () => {
    assert.equal(load({ limits: written }).limits[key], expected);
  });
}

Deno.test("loadConfig() refuses to grant all methods of a service that has none", () => {
  class Parent {
    _own = () => {};
    inherited(): void {}
  }
  class Child extends Parent {}
  class Fields {
    value = 1;
    get method() {
      return () => {};
    }
    _hidden(): void {}
  }
  class Whole {
    static readonly nested = { part: Child };
  }
  class Hollow {
    static readonly nested = { part: Fields };
  }
  const objects = { fields: new Fields(), empty: {}, child: new Child(), bare: Object.create(null) };
  const services = { ...objects, type: Child, whole: Whole, hollow: Hollow };
  const one = hostConfig({ services }, around);
  for (const name of ["fields", "empty", "bare", "hollow"]) {
    assertConfigError(
      () => loadConfig("./resize.ts", { services: [name] }, one, around),
      {
        path: "services[0]",
        message: `Cannot use "services[0]" as a service with methods: "${name}" has none`,
      },
    );
  }
  const { services: granted } = loadConfig(
    "./resize.ts",
    { services: ["child", "type", "whole"] },
    one,
    around,
  );
  assert.deepEqual(granted, { child: "all", type: "all", whole: "all" });
});

Deno.test("loadConfig() reads services by name and by method", () => {
  assert.deepEqual(load({ services: ["db"] }).services, { db: "all" });
  assert.deepEqual(load({ services: { db: ["lookup"], log: [] } }).services, { db: ["lookup"], log: [] });
});

const refused: readonly (readonly [unknown, string, string])[] = [
  [
    { permission: {} },
    "permission",
    'Cannot use "permission" as an option: "permission" is not known, "permissions" is',
  ],
  [
    { permissions: { raed: [] } },
    "permissions.raed",
    'Cannot use "permissions.raed" as an option: "raed" is not known, "read" is',
  ],
  [
    { permissions: { read: "/a" } },
    "permissions.read",
    'Cannot use "permissions.read" as a list of paths, or an object of host path → path inside: it is "/a"',
  ],
  [
    { permissions: { read: [1] } },
    "permissions.read[0]",
    'Cannot use "permissions.read[0]" as a path: it is 1',
  ],
  [
    { permissions: { read: { "/a": "b" } } },
    'permissions.read["/a"]',
    'Cannot use "permissions.read[\\"/a\\"]" as an absolute path inside the sandbox: it is "b"',
  ],
  [
    { permissions: { read: { "/a": "/b/../c" } } },
    'permissions.read["/a"]',
    'Cannot use "permissions.read[\\"/a\\"]" as an absolute path inside the sandbox: "/b/../c" is not normalised',
  ],
  [
    { permissions: { read: { "/a": "/x", "/b": "/x" } } },
    "permissions.read",
    'Cannot use "permissions.read" as paths: "/a" and "/b" would both be at "/x"',
  ],
  [
    { permissions: { net: true } },
    "permissions.net",
    'Cannot use "permissions.net" as a list of hosts or "host": it is true',
  ],
  [
    { permissions: { net: ["a b"] } },
    "permissions.net[0]",
    'Cannot use "permissions.net[0]" as a host or host:port: it is "a b"',
  ],
  [
    { permissions: { env: { A: 1 } } },
    "permissions.env.A",
    'Cannot use "permissions.env.A" as the text of a variable: it is 1',
  ],
  [
    { permissions: { env: { A: "x\0y" } } },
    "permissions.env.A",
    'Cannot use "permissions.env.A" as the text of a variable: it is "x\\u0000y"',
  ],
  [
    { permissions: { env: ["A=B"] } },
    "permissions.env[0]",
    'Cannot use "permissions.env[0]" as the name of an environment variable: it is "A=B"',
  ],
  [
    { services: ["bd"] },
    "services[0]",
    'Cannot use "services[0]" as a service of the host: "bd" is not known, "db" is',
  ],
  [
    { services: ["__proto__"] },
    "services[0]",
    'Cannot use "services[0]" as a service of the host: "__proto__" is not known',
  ],
  [
    { services: { db: ["lokup"] } },
    "services.db[0]",
    'Cannot use "services.db[0]" as a method of the service: "lokup" is not known, "lookup" is',
  ],
  [
    { services: { db: ["_secret"] } },
    "services.db[0]",
    'Cannot use "services.db[0]" as the name of a method: "_secret" can never be called from outside',
  ],
  [
    { services: { db: ["constructor"] } },
    "services.db[0]",
    'Cannot use "services.db[0]" as the name of a method: "constructor" can never be called from outside',
  ],
  [{ services: { db: "all" } }, "services.db", 'Cannot use "services.db" as a list: it is "all"'],
  [
    { limits: { memory: "12 parsecs" } },
    "limits.memory",
    'Cannot use "limits.memory" as a size: it is "12 parsecs"',
  ],
  [
    { limits: { memory: "1KiB" } },
    "limits.memory",
    'Cannot use "limits.memory" as a size: 1KiB is less than 8MiB',
  ],
  [
    { limits: { openFiles: 3 } },
    "limits.openFiles",
    'Cannot use "limits.openFiles" as a number of open files: 3 is less than 32',
  ],
  [
    { limits: { processes: 1.5 } },
    "limits.processes",
    'Cannot use "limits.processes" as a number of processes and threads: it is 1.5',
  ],
  [
    { limits: { cpuPercent: Number.NaN } },
    "limits.cpuPercent",
    'Cannot use "limits.cpuPercent" as a percentage of one core: it is NaN',
  ],
  [
    { limits: { cpuPercent: 0 } },
    "limits.cpuPercent",
    'Cannot use "limits.cpuPercent" as a percentage of one core: 0 is less than 1',
  ],
  [
    { limits: { wallMs: 0 } },
    "limits.wallMs",
    'Cannot use "limits.wallMs" as a number of milliseconds: 0 is less than 1',
  ],
  [
    { limits: { memory: 2 ** 28, maxMemoryBytes: 2 ** 28 } },
    "limits.maxMemoryBytes",
    'Cannot use "limits.maxMemoryBytes" as an option: "memory" says the same thing',
  ],
  [
    { limits: { enforce: { memry: "required" } } },
    "limits.enforce.memry",
    'Cannot use "limits.enforce.memry" as a limit: "memry" is not known, "memory" is',
  ],
  [
    { limits: { enforce: "always" } },
    "limits.enforce",
    'Cannot use "limits.enforce" as one of "required", "best-effort": it is "always"',
  ],
  [{ maxFrame: 1 }, "maxFrame", 'Cannot use "maxFrame" as a size: 1B is less than 4KiB'],
  [{ gpu: "yes" }, "gpu", 'Cannot use "gpu" as true or false: it is "yes"'],
  [{ signal: {} }, "signal", 'Cannot use "signal" as an AbortSignal: it is an object'],
  [
    { name: "../x" },
    "name",
    'Cannot use "name" as a name of letters, digits, dots, hyphens and underscores, 64 at most: it is "../x"',
  ],
  [
    { permissions: { sys: ["hostnam"] } },
    "permissions.sys[0]",
    'Cannot use "permissions.sys[0]" as one of "cpus", "getegid", "getPriority", "gid", "homedir", "hostname", ' +
    '"loadavg", "networkInterfaces", "osRelease", "osUptime", "setPriority", "statfs", "systemMemoryInfo", "uid", ' +
    '"userInfo", "username": it is "hostnam"',
  ],
  [
    { permissions: { env: "HOME" } },
    "permissions.env",
    'Cannot use "permissions.env" as a list of names, or an object of name → value: it is "HOME"',
  ],
  [
    { services: "db" },
    "services",
    'Cannot use "services" as a list of names, or an object of name → methods: it is "db"',
  ],
  [
    { permissions: { run: ["ls"] } },
    "permissions.run",
    'Cannot use "permissions.run" as a permission: a plugin never starts programs',
  ],
  [
    { permissions: { ffi: true } },
    "permissions.ffi",
    'Cannot use "permissions.ffi" as a permission: a plugin never loads native code',
  ],
];

for (const [options, path, message] of refused) {
  Deno.test(`loadConfig() refuses: ${message}`, () => {
    assertConfigError(() => load(options), { path, message });
  });
}

Deno.test("loadConfig() takes output and onPermission from the host unless the plugin has its own", () => {
  const [ofHost, ofPlugin] = [() => "deny" as const, () => "allow" as const];
  const host = hostConfig({ output: "ignore", onPermission: ofHost }, environment());
  const inherited = loadConfig("/p.ts", {}, host, environment());
  assert.deepEqual([inherited.output, inherited.onPermission, inherited.learn], ["ignore", ofHost, false]);
  const own = loadConfig(
    "/p.ts",
    { output: "inherit", onPermission: ofPlugin, learn: true },
    host,
    environment(),
  );
  assert.deepEqual([own.output, own.onPermission, own.learn], ["inherit", ofPlugin, true]);
});
