import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { denoFlags } from "../../src/launcher/deno_flags.ts";
import { sandboxPaths } from "../../src/launcher/sandbox_paths.ts";
import { policyWithDependencies } from "../../src/policy/policy_with_dependencies.ts";
import { sandboxPolicy } from "../../src/policy/sandbox_policy.ts";
import type { LoadConfig } from "../../src/config/types.ts";
import { fakeConfig, fakeFacts, NO_PERMISSIONS } from "../policy/fakes.ts";

const FILES = { deno: "/usr/bin/deno", guest: "/h/guest.js", library: "/h/libcordon.so", exec: null };
const DIRECTORY = { plugin: "/h/0/p", run: "/h/0/r", socket: "/h/0/r/rpc.sock", boot: "/h/0/r/boot.json" };
const FIXED = [
  "--no-prompt",
  "--no-config",
  "--no-lock",
  "--no-remote",
  "--no-npm",
  "--cached-only",
  "--no-code-cache",
  "--deny-import",
];

function flagsFor(changes: Partial<LoadConfig> = {}, files = FILES, extra: string[] = []): string[] {
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
  const policy = sandboxPolicy(fakeConfig(changes), fakeFacts(), context);
  return denoFlags(policy, sandboxPaths(policy, DIRECTORY, files), extra);
}

Deno.test("denoFlags() without grants allows what the guest's start needs", () => {
  deepEqual(flagsFor(), [
    ...FIXED,
    "--v8-flags=--max-old-space-size=512,--no-enable-lazy-source-positions",
    "--allow-read=/app/plugin,/run/cordon/boot.json,/run/cordon/rpc.sock",
    "--allow-write=/run/cordon/rpc.sock",
    "--allow-net=unix:/run/cordon/rpc.sock",
    "--allow-ffi",
    "--allow-env",
  ]);
});

Deno.test("denoFlags() with every kind of grant", () => {
  const permissions = {
    read: [{ source: "/srv/in", target: "/in" }],
    write: [{ source: "/srv/out", target: "/out" }],
    net: { kind: "proxy" as const, allow: ["example.com:443"] },
    env: { NAME: "value" },
    sys: ["hostname"],
    unix: ["/srv/app.sock"],
  };
  deepEqual(flagsFor({ permissions }, FILES, ["--inspect"]), [
    ...FIXED,
    "--v8-flags=--max-old-space-size=512,--no-enable-lazy-source-positions",
    "--allow-read=/app/plugin,/run/cordon/boot.json,/run/cordon/rpc.sock,/run/cordon/net.sock,/in,/out,/srv/app.sock",
    "--allow-write=/run/cordon/rpc.sock,/run/cordon/net.sock,/out,/srv/app.sock",
    "--allow-net=unix:/run/cordon/rpc.sock,unix:/run/cordon/net.sock,127.0.0.1,example.com:443,unix:/srv/app.sock",
    "--allow-ffi",
    "--allow-env",
    "--allow-sys=hostname",
    "--inspect",
  ]);
});

Deno.test("denoFlags() for an unbundled plugin takes what its lock file names, and fetches nothing more", () => {
  const unbundled = (hosts: readonly string[]) => {
    const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
    const policy = policyWithDependencies(sandboxPolicy(fakeConfig(), fakeFacts(), context), {
      directory: "/cache/deps",
      hosts,
    });
    const flags = denoFlags(policy, sandboxPaths(policy, DIRECTORY, FILES));
    return flags.slice(0, flags.findIndex((flag) => flag.startsWith("--v8-flags")));
  };
  const locked = [
    "--no-prompt",
    "--quiet",
    "--config=/app/deps/deno.json",
    "--lock=/app/deps/deno.lock",
    "--frozen",
    "--node-modules-dir=none",
    "--vendor=false",
  ];
  const cached = ["--cached-only", "--no-code-cache"];
  deepEqual(unbundled([]), [...locked, "--no-remote", ...cached, "--deny-import"]);
  deepEqual(unbundled(["esm.test"]), [...locked, ...cached, "--allow-import=esm.test"]);
});

Deno.test("denoFlags() allows no FFI where there is no native library", () => {
  equal(flagsFor({}, { ...FILES, library: null! }).includes("--allow-ffi"), false);
});

Deno.test("denoFlags() refuses a comma, at which the runtime would split a path in two", () => {
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
  const policy = sandboxPolicy(fakeConfig(), fakeFacts(), context);
  const broken = { ...policy, deno: { ...policy.deno, read: ["/a,/etc"] } };
  throws(() => denoFlags(broken, sandboxPaths(policy, DIRECTORY, FILES)), TypeError);
});

Deno.test("denoFlags() names the host's paths where there are no mounts", () => {
  const flags = flagsFor({ sandbox: "permissions-only" });
  deepEqual(flags.filter((flag) => flag.startsWith("--allow-net") || flag.startsWith("--allow-read")), [
    "--allow-read=/h/0/p,/h/0/r/boot.json,/h/0/r/rpc.sock",
    "--allow-net=unix:/h/0/r/rpc.sock",
  ]);
});

Deno.test("denoFlags() keeps a granted path in its flag, whatever its name", () => {
  fc.assert(fc.property(fc.stringMatching(/^[^\0/,]{1,20}$/), (name) => {
    const permissions = { ...NO_PERMISSIONS, read: [{ source: `/d/${name}`, target: `/d/${name}` }] };
    const flags = flagsFor({ permissions });
    equal(flags.length, flagsFor().length);
    const read = flags.find((flag) => flag.startsWith("--allow-read="))!;
    deepEqual(splitFlag(read), [
      "/app/plugin",
      "/run/cordon/boot.json",
      "/run/cordon/rpc.sock",
      `/d/${name}`,
    ]);
  }));
});

function splitFlag(flag: string): string[] {
  return flag.slice(flag.indexOf("=") + 1).split(",");
}
