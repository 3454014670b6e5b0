import assert from "node:assert/strict";
import { classifyBwrapFailure } from "../../src/platform/classify_bwrap_failure.ts";
import type { RestrictionFacts } from "../../src/platform/restriction_facts.ts";
import { type RestrictionModel, restrictionModel } from "../../src/platform/restriction_model.ts";

const ORDINARY: RestrictionFacts = {
  os: "linux",
  maxUserNamespaces: 96365,
  unprivilegedUsernsClone: null,
  apparmorRestrictsUserns: null,
  selinuxEnforces: false,
  kernelVersion: "Linux version 6.18.44",
  isChrooted: false,
  seccompMode: 0,
  container: null,
};

/** What bubblewrap 0.8.0 printed when each restriction was put in place on purpose; `*` was recorded by others. */
const NO_PERMISSION =
  "bwrap: No permissions to create new namespace, likely because the kernel does not allow " +
  "non-privileged user namespaces. See <https://deb.li/bubblewrap> or <file:///usr/share/doc/bubblewrap/README.Debian.gz>.";
const OLD_NO_PERMISSION =
  "bwrap: No permissions to creating new namespace, likely because the kernel does not allow " +
  "non-privileged user namespaces. On e.g. debian this can be enabled with 'sysctl kernel.unprivileged_userns_clone=1'."; // *
const LIMIT =
  "bwrap: Creating new namespace failed: nesting depth or /proc/sys/user/max_*_namespaces exceeded (ENOSPC)";
const UID_MAP = "bwrap: setting up uid map: Permission denied"; // *
const LOOPBACK = "bwrap: loopback: Failed RTM_NEWADDR: Operation not permitted"; // *
const SLAVE = "bwrap: Failed to make / slave: Operation not permitted";
const UNSUPPORTED =
  "bwrap: Creating new namespace failed, likely because the kernel does not support user namespaces.  " +
  "bwrap must be installed setuid on such systems."; // *

const CASES: readonly (readonly [RestrictionModel, string, Partial<RestrictionFacts>])[] = [
  ["not-linux", "", { os: "darwin" }],
  ["wsl1", UNSUPPORTED, { container: "wsl1", kernelVersion: "Linux version 4.4.0-19041-Microsoft" }],
  ["namespace-limit-zero", LIMIT, { maxUserNamespaces: 0 }],
  ["namespace-limit-zero", NO_PERMISSION, { maxUserNamespaces: 0 }],
  ["namespace-limit-reached", LIMIT, {}],
  ["namespace-limit-reached", "bwrap: Creating new namespace failed: No space left on device", {}],
  ["userns-clone-sysctl", NO_PERMISSION, { unprivilegedUsernsClone: 0 }],
  ["userns-clone-sysctl", OLD_NO_PERMISSION, { unprivilegedUsernsClone: 0, container: "docker" }],
  ["ubuntu-apparmor", UID_MAP, { apparmorRestrictsUserns: 1 }],
  ["ubuntu-apparmor", LOOPBACK, { apparmorRestrictsUserns: 1 }],
  ["ubuntu-apparmor", NO_PERMISSION, { apparmorRestrictsUserns: 1 }],
  ["container-seccomp", NO_PERMISSION, { apparmorRestrictsUserns: 1, container: "docker", seccompMode: 2 }],
  ["chroot", NO_PERMISSION, { isChrooted: true, container: "docker" }],
  ["container-mounts", SLAVE, { isChrooted: true, container: "docker" }],
  ["selinux", UID_MAP, { selinuxEnforces: true }],
  ["selinux", "bwrap: Failed to mount tmpfs: Permission denied", {
    selinuxEnforces: true,
    container: "podman",
  }],
  ["container-seccomp", NO_PERMISSION, { container: "docker", seccompMode: 2 }],
  ["container-seccomp", OLD_NO_PERMISSION, { container: "kubernetes" }],
  ["container-seccomp", NO_PERMISSION, { seccompMode: 2 }],
  [
    "container-read-only-proc",
    "bwrap: cannot open /proc/sys/user/max_user_namespaces: Read-only file system",
    {
      container: "docker",
    },
  ],
  ["container-mounts", SLAVE, { container: "docker", seccompMode: 0 }],
  ["container-mounts", "bwrap: Failed to make / slave: Permission denied", { container: "kubernetes" }],
  ["container-mounts", "bwrap: pivot_root: Operation not permitted", { seccompMode: 2 }],
  ["masked-proc", "bwrap: Can't read /proc/sys/kernel/overflowuid: No such file or directory", {}],
  ["masked-proc", "bwrap: Can't mount proc on /newroot/proc: Operation not permitted", {
    container: "docker",
  }],
  ["setuid-bwrap", "bwrap: cannot open /proc/sys/user/max_user_namespaces: Permission denied", {}],
  ["old-bwrap", "bwrap: Unknown option --disable-userns", {}],
  ["old-bwrap", "bwrap: Unknown option --disable-userns", {
    apparmorRestrictsUserns: 1,
    container: "docker",
  }],
  ["hardened-kernel", NO_PERMISSION, { kernelVersion: "Linux version 6.9.7-hardened1-1-hardened" }],
  ["no-namespace-support", UNSUPPORTED, {}],
  ["no-namespace-support", "bwrap: Creating new namespace failed: Invalid argument", {}],
  ["missing-path", "bwrap: Can't find source path /nope: No such file or directory", {}],
  ["missing-path", "bwrap: execvp /nope: No such file or directory", {}],
  ["no-such-account", "it cannot be started as uid 65534", { container: "podman" }],
  ["no-such-account", "bwrap: setting up uid map: Invalid argument", { container: "docker" }],
  ["unknown", NO_PERMISSION, {}],
  ["unknown", "", {}],
  ["unknown", "bwrap: something new", { container: "docker", apparmorRestrictsUserns: 1 }],
];

for (const [model, stderr, difference] of CASES) {
  Deno.test(`restrictionModel() says ${model} of ${JSON.stringify(stderr.slice(0, 60))} with ${JSON.stringify(difference)}`, () => {
    assert.equal(restrictionModel({ exitCode: 1, stderr }, { ...ORDINARY, ...difference }), model);
  });
}

Deno.test("classifyBwrapFailure() gives evidence and at least one repair for every cause", () => {
  for (const [model, stderr, difference] of CASES) {
    const finding = classifyBwrapFailure({ exitCode: 1, stderr }, { ...ORDINARY, ...difference });
    assert.equal(finding.id, "user-namespaces");
    assert.equal(finding.level, "fail");
    assert.ok(finding.evidence?.startsWith(`${model}: bwrap ended with 1`), finding.evidence);
    assert.ok((finding.fix?.length ?? 0) > 0, model);
  }
});

Deno.test("classifyBwrapFailure() never advises to switch AppArmor's or seccomp's protection off first", () => {
  for (const [, stderr, difference] of CASES) {
    const { fix = [] } = classifyBwrapFailure({ exitCode: 1, stderr }, { ...ORDINARY, ...difference });
    assert.doesNotMatch(fix.join("\n"), /apparmor_restrict_unprivileged_userns=0|--privileged/);
    if (difference.container === "docker" && stderr === NO_PERMISSION) {
      assert.doesNotMatch(fix[0] ?? "", /unconfined/);
    }
  }
});

Deno.test("classifyBwrapFailure() bounds what it repeats of bubblewrap's output", () => {
  const finding = classifyBwrapFailure({ exitCode: 1, stderr: "x".repeat(100_000) }, ORDINARY);
  assert.ok((finding.evidence?.length ?? 0) < 1000);
});
