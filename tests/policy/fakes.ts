/**
 * Configurations and facts for tests, as small as they can be.
 *
 * @module
 */

import type { LimitConfig, LoadConfig, PermissionConfig } from "../../src/config/types.ts";
import type { PlatformFacts } from "../../src/platform/types.ts";

/** Nothing granted. */
export const NO_PERMISSIONS: PermissionConfig = {
  read: [],
  write: [],
  net: { kind: "none" },
  env: {},
  sys: [],
  unix: [],
};

const ENFORCE: LimitConfig["enforce"] = {
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
};

/** The defaults of the configuration. */
export const DEFAULT_LIMITS: LimitConfig = {
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
  enforce: ENFORCE,
};

/** A plugin that may do nothing. */
export function fakeConfig(changes: Partial<LoadConfig> = {}): LoadConfig {
  return {
    name: "probe",
    entry: "file:///plugins/probe.ts",
    permissions: NO_PERMISSIONS,
    services: {},
    limits: DEFAULT_LIMITS,
    sandbox: "required",
    timeoutMs: 0,
    startupTimeoutMs: 10_000,
    shutdownGraceMs: 2_000,
    maxFrameBytes: 16 * 2 ** 20,
    gpu: false,
    ...changes,
  };
}

/** A Linux machine that can do everything. */
export function fakeFacts(changes: Partial<PlatformFacts> = {}): PlatformFacts {
  return {
    os: "linux",
    arch: "x86_64",
    kernelRelease: "6.18.0",
    uid: 1000,
    gid: 1000,
    bwrap: {
      path: "/usr/bin/bwrap",
      version: "0.8.0",
      options: new Set([
        "args",
        "as-pid-1",
        "disable-userns",
        "json-status-fd",
        "perms",
        "seccomp",
        "size",
        "ro-bind-fd",
        "bind-fd",
      ]),
      isSetuid: false,
    },
    deno: {
      path: "/usr/bin/deno",
      version: "2.9.6",
      loader: "/usr/lib/ld-linux-x86-64.so.2",
      loaderTarget: "/lib64/ld-linux-x86-64.so.2",
      libraries: [{ target: "/lib/libc.so.6", source: "/usr/lib/libc.so.6" }],
    },
    namespacesWork: true,
    landlockAbi: 7,
    seccompFilter: true,
    cgroup: null,
    memfd: true,
    container: null,
    gpuDevices: [],
    ...changes,
  };
}
