import { deepEqual, equal, rejects, throws } from "node:assert/strict";
import type { SandboxPolicy } from "../../src/policy/types.ts";
import { controlGroup, leafName } from "../../src/launcher/control_group.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import { DEFAULT_LIMITS, fakeConfig, fakeFacts } from "../policy/fakes.ts";

const MIB = 2 ** 20;
const FILES = {
  1: [
    "memory.limit_in_bytes",
    "memory.memsw.limit_in_bytes",
    "pids.max",
    "cpu.cfs_period_us",
    "cpu.cfs_quota_us",
  ],
  2: ["memory.max", "memory.swap.max", "memory.oom.group", "pids.max", "cpu.max"],
} as const;

/** A kernel makes the files of a leaf; here a directory stands for the kernel's, and they are made in advance. */
async function written(version: 1 | 2): Promise<Record<string, string>> {
  const root = await Deno.makeTempDir({ prefix: "cordon-cgroup-" });
  const mkdirSync = Deno.mkdirSync;
  try {
    Deno.mkdirSync = (path, options) => {
      mkdirSync(path, options);
      for (const file of FILES[version]) Deno.writeTextFileSync(`${path}/${file}`, "");
    };
    const group = controlGroup(policyIn(root, version), `cordon-${Deno.pid}-leaf`)!;
    const procs = `${root}/cordon-${Deno.pid}-leaf/cgroup.procs`;
    await rejects(group.enter(42), Deno.errors.NotFound, "a file that is not there is not made up");
    Deno.writeTextFileSync(procs, "");
    await group.enter(42);
    equal(group.hasBeenOutOfMemory(), false, "nothing is there that says so");
    equal(Deno.readTextFileSync(procs), "42");
    Deno.removeSync(procs);
    const read = (file: string) => Deno.readTextFileSync(`${root}/cordon-${Deno.pid}-leaf/${file}`);
    return Object.fromEntries(FILES[version].map((file) => [file, read(file)]));
  } finally {
    Deno.mkdirSync = mkdirSync;
    await Deno.remove(root, { recursive: true });
  }
}

function policyIn(root: string, version: 1 | 2): SandboxPolicy {
  const directories = { memory: root, pids: root, cpu: root };
  const cgroup = { version, path: root, controllers: Object.keys(directories), directories };
  const limits = {
    ...DEFAULT_LIMITS,
    memoryBytes: 100 * MIB,
    tmpBytes: 28 * MIB,
    processes: 30,
    cpuPercent: 50,
  };
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
  return sandboxPolicy(fakeConfig({ limits }), fakeFacts({ cgroup }), context);
}

Deno.test("controlGroup() writes the bounds of version 1", async () => {
  deepEqual(await written(1), {
    "memory.limit_in_bytes": String(192 * MIB),
    "memory.memsw.limit_in_bytes": String(192 * MIB),
    "pids.max": "30",
    "cpu.cfs_period_us": "100000",
    "cpu.cfs_quota_us": "50000",
  });
});

Deno.test("controlGroup() writes the bounds of version 2", async () => {
  deepEqual(await written(2), {
    "memory.max": String(192 * MIB),
    "memory.swap.max": "0",
    "memory.oom.group": "1",
    "pids.max": "30",
    "cpu.max": "50000 100000",
  });
});

Deno.test("controlGroup() removes the empty leaves of hosts that are gone, and no others", async () => {
  const root = await Deno.makeTempDir({ prefix: "cordon-cgroup-" });
  // Beyond the largest pid that Linux can be told to use.
  const gone = 2 ** 22 + 1;
  const [, namespace] = /-(ns\d+)-/.exec(leafName())!;
  // Alive, nobody's, and of a container whose pids mean others here.
  const kept = [
    ...[`cordon-${Deno.pid}-a`, "cordon-b", "system.slice"],
    ...[`cordon-${gone}-ns1-a`, `cordon-probe-${gone}-ns1-a`],
  ];
  const swept = [
    ...[`cordon-${gone}-a`, `cordon-${gone}-${namespace}-a`],
    ...[`cordon-probe-${gone}`, `cordon-probe-${gone}-${namespace}-a`],
  ];
  for (const name of [...swept, ...kept]) Deno.mkdirSync(`${root}/${name}`);
  try {
    throws(() => controlGroup(policyIn(root, 2), `cordon-${Deno.pid}-new`), /ENOENT|No such file/);
    deepEqual(
      [...Deno.readDirSync(root)].map(({ name }) => name).sort(),
      kept.sort(),
      "nor its own, which failed",
    );
  } finally {
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("ControlGroup disposal gives up on a leaf in which something hides, and no other failure is hidden", async () => {
  const root = await Deno.makeTempDir({ prefix: "cordon-cgroup-" });
  const { mkdirSync, removeSync } = Deno;
  const started = performance.now();
  const busy = Object.assign(new Error("Device or resource busy"), { code: "EBUSY" });
  try {
    Deno.mkdirSync = (path, options) => {
      mkdirSync(path, options);
      for (const file of FILES[2]) Deno.writeTextFileSync(`${path}/${file}`, "");
    };
    Deno.removeSync = () => {
      throw performance.now() - started < 20_000 ? busy : new Error("it never gave up");
    };
    const group = controlGroup(policyIn(root, 2), `cordon-${Deno.pid}-leaf`)!;
    await group[Symbol.asyncDispose]();
    Deno.removeSync = () => {
      throw new Deno.errors.PermissionDenied("no");
    };
    await rejects(group[Symbol.asyncDispose](), Deno.errors.PermissionDenied);
  } finally {
    Object.assign(Deno, { mkdirSync, removeSync });
    await Deno.remove(root, { recursive: true });
  }
});

Deno.test("controlGroup() is null for a policy without one", () => {
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
  equal(controlGroup(sandboxPolicy(fakeConfig(), fakeFacts(), context), "cordon-1-x"), null);
});

Deno.test("sandboxPolicy() says tier full and names the control group where there is one", () => {
  const { tier, enforcement } = policyIn("/sys/fs/cgroup", 2);
  equal(tier, "full");
  const { memory, cpuPercent, processes, workers } = enforcement;
  for (const { mechanism, hard } of [memory, cpuPercent, processes]) {
    deepEqual([mechanism, hard], ["cgroup2", true]);
  }
  equal(workers.requested, null);
});
