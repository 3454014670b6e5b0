import assert from "node:assert/strict";
import type { LoadConfig } from "../../../src/config/types.ts";
import { type LandlockPlan, policyExecPlan } from "../../../src/launcher/exec/mod.ts";
import { sandboxPaths } from "../../../src/launcher/sandbox_paths.ts";
import type { PlatformFacts } from "../../../src/platform/types.ts";
import { sandboxPolicy } from "../../../src/policy/sandbox_policy.ts";
import { DEFAULT_LIMITS, fakeConfig, fakeFacts, NO_PERMISSIONS } from "../../policy/fakes.ts";

const FILES = { deno: "/usr/bin/deno", guest: "/h/guest.js", library: "/h/lib.so", exec: "/h/cordon-exec" };
const DIRECTORY = { plugin: "/h/0/p", run: "/h/0/r", socket: "/h/0/r/rpc.sock", boot: "/h/0/r/boot.json" };
const BEHIND_LANDLOCK = [{ sandbox: "best-effort" }, { bwrap: null }] as const;

function planFor(config: Partial<LoadConfig> = {}, facts: Partial<PlatformFacts> = {}, inheritedFds = 0) {
  const complete = fakeFacts({ landlockAbi: 7, ...facts });
  const context = { runAs: { uid: 65534, gid: 65534 }, workingDirectory: "/" };
  const policy = sandboxPolicy(fakeConfig(config), complete, context);
  const paths = sandboxPaths(policy, DIRECTORY, FILES);
  const runtime = complete.deno!;
  return policyExecPlan(policy, { paths, runtime, inheritedFds, seccompFd: null, parentPid: null });
}

function landlockFor(config: Partial<LoadConfig> = {}, facts: Partial<PlatformFacts> = {}): LandlockPlan {
  const { landlock } = planFor(config, facts);
  assert.ok(landlock !== null);
  return landlock;
}

Deno.test("policyExecPlan() keeps the standard streams and what the guest inherits, and nothing else", () => {
  assert.deepEqual([planFor().closeFrom, planFor({}, {}, 2).closeFrom], [3, 5]);
});

Deno.test("policyExecPlan() lets Landlock show the runtime and the grants, under their names inside", () => {
  const permissions = {
    ...NO_PERMISSIONS,
    read: [{ source: "/srv/in", target: "/in" }],
    write: [{ source: "/srv/out", target: "/out" }],
  };
  const limits = { ...DEFAULT_LIMITS, tmpBytes: 1024 };
  const { libraries, loaderTarget } = fakeFacts().deno!;
  const plan = landlockFor({ permissions, limits });
  assert.deepEqual(plan.executable, ["/app/deno", loaderTarget]);
  assert.deepEqual(plan.readOnly.filter((path) => !libraries.some(({ target }) => target === path)), [
    ...["/app/libcordon.so", "/app/guest.js", "/app/plugin", "/run/cordon", "/dev/urandom", "/in"],
  ]);
  assert.deepEqual([plan.readWrite, plan.devices], [["/out", "/tmp"], ["/dev/null"]]);
});

Deno.test("policyExecPlan() names the host's paths, and no scratch space, where Landlock stands alone", () => {
  const read = [{ source: "/srv/in", target: "/srv/in" }];
  const write = [{ source: "/srv/out", target: "/srv/out" }];
  const limits = { ...DEFAULT_LIMITS, tmpBytes: 1024 };
  const [config, facts] = BEHIND_LANDLOCK;
  const plan = landlockFor({ ...config, permissions: { ...NO_PERMISSIONS, read, write }, limits }, facts);
  assert.deepEqual(plan.executable, ["/usr/bin/deno", fakeFacts().deno!.loader]);
  assert.ok(["/h/guest.js", "/h/0/p", "/h/0/r", "/srv/in"].every((path) => plan.readOnly.includes(path)));
  assert.ok(!plan.readOnly.some((path) => path.startsWith("/app")));
  assert.deepEqual(plan.readWrite, ["/srv/out"]);
});

Deno.test("policyExecPlan() closes TCP unless the network was granted, and scopes signals, where the kernel can", () => {
  const net = { kind: "host" as const };
  const granted = { permissions: { ...NO_PERMISSIONS, net } };
  const seen = (config: Partial<LoadConfig>, landlockAbi: number) => {
    const { abi, tcpConnect, tcpBind, scope } = landlockFor(config, { landlockAbi });
    return [abi, tcpConnect, tcpBind, scope];
  };
  assert.deepEqual(seen({}, 7), [7, [], [], true]);
  assert.deepEqual(seen(granted, 7), [7, "any", "any", true]);
  assert.deepEqual(seen({}, 5), [5, [], [], false], "signals are scoped from ABI 6 on");
  assert.deepEqual(seen({}, 3), [3, "any", "any", false], "TCP is governed from ABI 4 on");
  assert.deepEqual(seen({}, 99), [7, [], [], true], "a newer kernel is asked for what is known");
});

Deno.test("policyExecPlan() does without Landlock where there is none, and where only the runtime confines", () => {
  assert.equal(planFor({}, { landlockAbi: 0 }).landlock, null);
  assert.equal(planFor({ sandbox: "permissions-only" }).landlock, null);
  assert.notEqual(planFor().landlock, null);
});
