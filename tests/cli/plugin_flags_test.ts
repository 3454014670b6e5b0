import assert from "node:assert/strict";
import { commandLine } from "../../src/cli/command_line.ts";
import {
  flagOfPath,
  hostOptions,
  loadOptions,
  PLUGIN_OPTIONS,
  timeoutMs,
} from "../../src/cli/plugin_flags.ts";
import { UsageError } from "../../src/cli/usage_error.ts";
import { hostConfig, loadConfig } from "../../src/config/mod.ts";
import type { CommandLine } from "../../src/cli/command_line.ts";

function parsed(...args: readonly string[]): CommandLine {
  return commandLine(args, PLUGIN_OPTIONS);
}

Deno.test("loadOptions() grants nothing when nothing was written", () => {
  assert.deepEqual(loadOptions(parsed("x.ts")), {
    permissions: { read: [], write: [], net: [], env: [], sys: [], unix: [] },
  });
});

Deno.test("loadOptions() splits lists at commas and joins repeated options", () => {
  const { permissions } = loadOptions(
    parsed("--allow-read=a,b", "--allow-read=c", "--allow-net=x.org:443", "--allow-sys=hostname"),
  );
  assert.deepEqual(permissions?.read, ["a", "b", "c"]);
  assert.deepEqual(permissions?.net, ["x.org:443"]);
  assert.deepEqual(permissions?.sys, ["hostname"]);
});

Deno.test("loadOptions() shares the host's network only for a bare --allow-net", () => {
  assert.equal(loadOptions(parsed("--allow-net")).permissions?.net, "host");
});

Deno.test("loadOptions() passes all variables for a bare --allow-env, except those that change the runtime", () => {
  const steering = [
    "LD_PRELOAD_FAKE",
    "CORDON_FAKE",
    "RUST_FAKE",
    "NPM_FAKE",
    "uv_fake",
    "TZDIR",
    "HOSTALIASES",
  ];
  for (const name of [...steering, "FOR_THE_PLUGIN"]) Deno.env.set(name, "1");
  try {
    const names = loadOptions(parsed("--allow-env")).permissions?.env as readonly string[];
    assert.ok(names.includes("FOR_THE_PLUGIN"));
    assert.deepEqual(names.filter((name) => steering.includes(name)), []);
    // What is chosen here is not refused there, whatever else this process has.
    loadConfig("x.ts", { permissions: { env: names } }, hostConfig({}));
  } finally {
    for (const name of [...steering, "FOR_THE_PLUGIN"]) Deno.env.delete(name);
  }
});

Deno.test("loadOptions() refuses a bare --allow-read, which a sandbox cannot grant", () => {
  for (const kind of ["read", "write", "unix"]) {
    assert.throws(() => loadOptions(parsed(`--allow-${kind}`)), {
      name: "UsageError",
      message: `Cannot use --allow-${kind} without paths: a sandbox holds only what is listed`,
    });
  }
});

Deno.test("loadOptions() hands limits on, numbers as numbers", () => {
  const { limits } = loadOptions(parsed("--memory=1GiB", "--cpu-percent=50", "--processes", "32"));
  assert.deepEqual(limits, { memory: "1GiB", cpuPercent: 50, processes: 32 });
  assert.throws(() => loadOptions(parsed("--processes=many")), UsageError);
});

Deno.test("hostOptions() names bubblewrap and the demanded confinement", () => {
  assert.deepEqual(hostOptions(parsed("--bwrap=/x", "--sandbox=best-effort")), {
    bwrap: "/x",
    handleSignals: false,
    sandbox: "best-effort",
  });
  // The command line listens to signals itself.
  assert.deepEqual(hostOptions(parsed()), { handleSignals: false });
});

Deno.test("timeoutMs() reads durations with and without unit", () => {
  const cases: readonly (readonly [string, number])[] = [["250", 250], ["250ms", 250], ["1.5s", 1_500], [
    "2m",
    120_000,
  ]];
  for (const [text, ms] of cases) assert.equal(timeoutMs(parsed(`--timeout=${text}`)), ms);
  assert.equal(timeoutMs(parsed()), null);
  for (const text of ["0", "-1", "soon", "1e3", "30 s", "999999999999"]) {
    assert.throws(() => timeoutMs(parsed(`--timeout=${text}`)), UsageError, text);
  }
});

Deno.test("flagOfPath() finds the option behind a place in the host's options", () => {
  assert.equal(flagOfPath("limits.memory"), "--memory");
  assert.equal(flagOfPath("permissions.read[0]"), "--allow-read");
  assert.equal(flagOfPath("permissions.env.LD_PRELOAD"), "--allow-env");
  assert.equal(flagOfPath("name"), null);
});
