import { deepEqual, equal, ok, throws } from "node:assert/strict";
import type { LoadConfig } from "../../src/config/types.ts";
import { ConfigError, SandboxUnavailableError } from "../../src/errors.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";
import type { SandboxPolicy } from "../../src/policy/types.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { DEFAULT_LIMITS, fakeConfig, fakeFacts, NO_PERMISSIONS } from "./fakes.ts";

const RUN_AS = { uid: 65534, gid: 65534 };

function policy(
  config: Partial<LoadConfig> = {},
  facts: Partial<PlatformFacts> = {},
  cwd = "/work",
): SandboxPolicy {
  return sandboxPolicy(fakeConfig(config), fakeFacts(facts), { runAs: RUN_AS, workingDirectory: cwd });
}

Deno.test("sandboxPolicy() grants nothing that was not asked for", () => {
  const { deno, mounts, network, environment, gpu, seccomp } = policy();
  deepEqual(deno, { read: [], write: [], net: [], env: [], sys: [] });
  deepEqual({ mounts, network, environment, gpu }, {
    mounts: [],
    network: { kind: "none" },
    environment: {},
    gpu: false,
  });
  deepEqual(seccomp, { network: false, unix: false, gpu: false, hostFiles: false });
});

Deno.test("sandboxPolicy() lets a plugin use the scratch space that it was given, where it is its own", () => {
  const limits = { ...DEFAULT_LIMITS, tmpBytes: 1024 };
  const { deno } = policy({ limits });
  deepEqual([deno.read, deno.write], [["/tmp"], ["/tmp"]]);
  for (const [sandbox, facts] of [["permissions-only", {}], ["best-effort", { bwrap: null }]] as const) {
    const { deno } = policy({ limits, sandbox }, facts);
    deepEqual([deno.read, deno.write], [[], []], "elsewhere /tmp is the host's");
  }
});

Deno.test("sandboxPolicy() is frozen all the way down", () => {
  const read = [{ source: "/srv/a", target: "/srv/a" }];
  const made = policy({ permissions: { ...NO_PERMISSIONS, read, env: { A: "1" } } });
  const thawed = unfrozen(made, "policy");
  deepEqual(thawed, []);
});

Deno.test("sandboxPolicy() drops the account of a root host only", () => {
  equal(policy().runAs, null);
  deepEqual(policy({}, { uid: 0, gid: 0 }).runAs, RUN_AS);
});

Deno.test("sandboxPolicy() opens sockets only as far as the network needs them", () => {
  const seccomp = (permissions: Partial<typeof NO_PERMISSIONS>) =>
    policy({ permissions: { ...NO_PERMISSIONS, ...permissions } }).seccomp;
  deepEqual(seccomp({ net: { kind: "host" } }), { network: true, unix: false, gpu: false, hostFiles: false });
  deepEqual(seccomp({ net: { kind: "proxy", allow: ["a:1"] } }), {
    network: true,
    unix: true,
    gpu: false,
    hostFiles: false,
  });
  deepEqual(seccomp({ unix: ["/srv/app.sock"] }), {
    network: false,
    unix: true,
    gpu: false,
    hostFiles: false,
  });
});

Deno.test("sandboxPolicy() refuses a list of hosts where no network namespace enforces it", () => {
  const permissions = { ...NO_PERMISSIONS, net: { kind: "proxy" as const, allow: ["example.com:443"] } };
  equal(policy({ permissions }).tier, "namespaces");
  for (const [sandbox, facts] of [["permissions-only", {}], ["best-effort", { bwrap: null }]] as const) {
    throws(() => policy({ permissions, sandbox }, facts), (error: Error) => {
      return error instanceof SandboxUnavailableError && error.findings[0]?.id === "network-namespace";
    });
  }
});

Deno.test("sandboxPolicy() refuses a socket behind Landlock, which does not govern sockets", () => {
  const permissions = { ...NO_PERMISSIONS, unix: ["/srv/app.sock"] };
  equal(policy({ permissions }).tier, "namespaces");
  throws(() => policy({ permissions, sandbox: "best-effort" }, { bwrap: null }), (error: Error) => {
    return error instanceof SandboxUnavailableError && error.findings[0]?.id === "unix-sockets";
  });
});

Deno.test("sandboxPolicy() tells the filter that the host's files are in sight behind Landlock", () => {
  equal(policy({ sandbox: "best-effort" }, { bwrap: null }).seccomp?.hostFiles, true);
});

Deno.test("sandboxPolicy() gives a written path to Deno as readable too", () => {
  const write = [{ source: "/srv/real", target: "/out" }];
  const { deno, mounts } = policy({ permissions: { ...NO_PERMISSIONS, write } });
  deepEqual([deno.read, deno.write], [["/out"], ["/out"]]);
  deepEqual(mounts, [{ source: "/srv/real", target: "/out", mode: "read-write" }]);
});

Deno.test("sandboxPolicy() mounts parents before what lies below them", () => {
  const read = [{ source: "/b", target: "/x/y/z" }, { source: "/a", target: "/x" }];
  const write = [{ source: "/c", target: "/x/y" }];
  deepEqual(
    policy({ permissions: { ...NO_PERMISSIONS, read, write } }).mounts.map((mount) => mount.target),
    ["/x", "/x/y", "/x/y/z"],
  );
});

Deno.test("sandboxPolicy() lets writing win where a path is granted twice", () => {
  const same = [{ source: "/srv/a", target: "/srv/a" }];
  const { mounts } = policy({ permissions: { ...NO_PERMISSIONS, read: same, write: same } });
  deepEqual(mounts, [{ source: "/srv/a", target: "/srv/a", mode: "read-write" }]);
});

Deno.test("sandboxPolicy() refuses two sources for one target", () => {
  const read = [{ source: "/a", target: "/x" }, { source: "/b", target: "/x" }];
  throws(() => policy({ permissions: { ...NO_PERMISSIONS, read } }), ConfigError);
});

for (
  const target of [
    "/app",
    "/app/deno",
    "/run",
    "/run/cordon",
    "/proc/1",
    "/dev",
    "/sys/fs",
    "/",
    "/lib64",
    "/lib",
  ]
) {
  Deno.test(`sandboxPolicy() refuses a mount at ${target}, where the runtime lives`, () => {
    const read = [{ source: "/srv/a", target }];
    throws(
      () => policy({ permissions: { ...NO_PERMISSIONS, read } }),
      (error: Error) => error instanceof ConfigError && error.message.includes(`"${target}"`),
    );
  });
}

Deno.test("sandboxPolicy() refuses a path with a comma, which the runtime would read as two", () => {
  const read = (target: string) => ({ ...NO_PERMISSIONS, read: [{ source: "/srv/a", target }] });
  throws(() => policy({ permissions: read("/srv/a,/etc") }), (error: Error) => {
    return error instanceof ConfigError && error.message.includes('"/srv/a,/etc"');
  });
  equal(policy({ permissions: read("/srv/a-b") }).mounts.length, 1);
});

Deno.test("sandboxPolicy() leaves Landlock out where nothing but the runtime confines", () => {
  equal(policy({ sandbox: "permissions-only" }, { landlockAbi: 7 }).landlockAbi, 0);
  equal(policy({}, { landlockAbi: 7 }).landlockAbi, 7);
});

Deno.test("sandboxPolicy() binds devices only if the plugin gets a GPU", () => {
  const facts = { gpuDevices: ["/dev/nvidia0"] };
  deepEqual(policy({}, facts).mounts, []);
  const { mounts, seccomp, deno } = policy({ gpu: true }, facts);
  deepEqual(mounts, [{ source: "/dev/nvidia0", target: "/dev/nvidia0", mode: "device" }]);
  equal(seccomp?.gpu, true);
  deepEqual(deno.write, ["/dev/nvidia0"]);
});

Deno.test("sandboxPolicy() starts in the host's directory where the plugin can see it", () => {
  const grant = (path: string) => ({ ...NO_PERMISSIONS, read: [{ source: path, target: path }] });
  equal(policy().workingDirectory, null);
  equal(policy({ permissions: grant("/work/data") }).workingDirectory, "/work");
  equal(policy({ permissions: grant("/work") }, {}, "/work/deep").workingDirectory, "/work/deep");
  equal(policy({ permissions: grant("/elsewhere") }).workingDirectory, null);
});

for (
  const name of [
    "LD_PRELOAD",
    "DENO_V8_FLAGS",
    "NODE_OPTIONS",
    "ld_library_path",
    "SSL_CERT_FILE",
    "SSLKEYLOGFILE",
    "A=B",
    "",
  ]
) {
  Deno.test(`sandboxPolicy() refuses the variable ${JSON.stringify(name)}`, () => {
    throws(
      () => policy({ permissions: { ...NO_PERMISSIONS, env: { [name]: "x" } } }),
      (error: Error) => error instanceof ConfigError && error.path === `permissions.env.${name}`,
    );
  });
}

Deno.test("sandboxPolicy() refuses a value with NUL, where the kernel would end it", () => {
  throws(
    () => policy({ permissions: { ...NO_PERMISSIONS, env: { GREETING: "hello\0LD_PRELOAD=/x" } } }),
    (error: Error) => error instanceof ConfigError && error.path === "permissions.env.GREETING",
  );
});

Deno.test("sandboxPolicy() passes an ordinary variable, and Deno may read that one", () => {
  const { environment, deno } = policy({ permissions: { ...NO_PERMISSIONS, env: { GREETING: "hello" } } });
  deepEqual([environment, deno.env], [{ GREETING: "hello" }, ["GREETING"]]);
});

Deno.test("sandboxPolicy() refuses a limit that must be hard and cannot be", () => {
  const limits = (enforce: "required" | "best-effort") => ({
    ...DEFAULT_LIMITS,
    tmpBytes: 1024,
    enforce: { ...DEFAULT_LIMITS.enforce, tmp: enforce },
  });
  const sandbox = "permissions-only";
  throws(() => policy({ sandbox, limits: limits("required") }), (error: Error) => {
    return error instanceof SandboxUnavailableError && error.findings[0]?.id === "limit-tmp";
  });
  const soft = policy({ sandbox, limits: limits("best-effort") });
  deepEqual([soft.enforcement.tmp.requested, soft.enforcement.tmp.hard], [1024, false]);
  equal(policy({ limits: limits("required") }).enforcement.tmp.hard, true);
});

Deno.test("sandboxPolicy() states for every limit by what it is enforced", () => {
  const limits = { ...DEFAULT_LIMITS, cpuPercent: 50, cpuSeconds: 5, wallMs: 100, tmpBytes: 10 };
  const mechanisms = Object.entries(policy({ limits }).enforcement).map((
    [name, { mechanism, hard }],
  ) => [name, mechanism, hard]);
  deepEqual(mechanisms, [
    ["memory", "rlimit", true],
    ["cpuPercent", "watchdog", true],
    ["cpuSeconds", "rlimit", true],
    ["wallMs", "host", true],
    ["processes", "rlimit", true],
    ["openFiles", "rlimit", true],
    ["fileSize", "rlimit", true],
    ["tmp", "bwrap", true],
    ["tmpInodes", "host", true],
    ["workers", "rlimit", true],
    ["output", "host", true],
    ["core", "rlimit", true],
  ]);
});

Deno.test("sandboxPolicy() bounds files by the kernel in tiers without mounts, also where nothing is granted", () => {
  const enforce = { ...DEFAULT_LIMITS.enforce, fileSize: "required" as const };
  const limits = { ...DEFAULT_LIMITS, enforce };
  equal(policy({ limits }).enforcement.fileSize.mechanism, "bwrap");
  for (const sandbox of ["best-effort", "permissions-only"] as const) {
    const { tier, enforcement } = policy({ sandbox, limits }, { bwrap: null });
    deepEqual([
      tier === "full" || tier === "namespaces",
      enforcement.fileSize.mechanism,
      enforcement.fileSize.hard,
    ], [
      false,
      "rlimit",
      true,
    ]);
  }
});

Deno.test("sandboxPolicy() does not promise hard limits outside Linux", () => {
  const { enforcement } = policy({ sandbox: "permissions-only" }, { os: "darwin" });
  const hard = Object.entries(enforcement).filter(([, limit]) => limit.hard && limit.requested !== null);
  deepEqual(hard.map(([name]) => name), ["tmp", "tmpInodes", "output"]);
  ok(!enforcement.memory.hard);
});

function unfrozen(value: unknown, path: string): string[] {
  if (typeof value !== "object" || value === null) return [];
  const below = Object.entries(value).flatMap(([key, child]) => unfrozen(child, `${path}.${key}`));
  return Object.isFrozen(value) ? below : [path, ...below];
}

Deno.test("sandboxPolicy() does not claim a bound on memory where guests have no native library", () => {
  const context = { runAs: RUN_AS, workingDirectory: "/work", hasNative: false };
  const { memory } = sandboxPolicy(fakeConfig(), fakeFacts(), context).enforcement;
  deepEqual([memory.mechanism, memory.hard], ["none", false]);
  ok(memory.note!.includes("native library"));
  const enforce = { ...DEFAULT_LIMITS.enforce, memory: "required" as const };
  const demanding = fakeConfig({ limits: { ...DEFAULT_LIMITS, enforce } });
  throws(() => sandboxPolicy(demanding, fakeFacts(), context), (error: Error) => {
    return error instanceof SandboxUnavailableError && error.findings[0]?.id === "limit-memory";
  });
});
