import { equal, notEqual } from "node:assert/strict";
import { forbiddenPathRule, isAtOrBelow } from "../../src/policy/forbidden_paths.ts";

const RUNTIME = "/run/user/1000/cordon";

const FORBIDDEN = [
  ...["/", "/etc", "/root", "/home", "/var", "/run", "/usr", "/boot"],
  ...["/proc", "/proc/1/root", "/sys/fs/cgroup", "/dev", "/dev/shm"],
  ...["/run/user", "/run/user/1000", RUNTIME, `${RUNTIME}/h-abc`],
  ...["/run/docker.sock", "/srv/docker.sock", "/run/containerd", "/run/containerd/containerd.sock"],
  ...["/run/podman/podman.sock", "/run/crio", "/run/user/1001/podman/podman.sock", "/srv/crio.sock"],
];

for (const path of FORBIDDEN) {
  Deno.test(`forbiddenPathRule() forbids ${path}`, () => notEqual(forbiddenPathRule(path, RUNTIME), null));
}

for (
  const path of [
    "/etc/ssl",
    "/home/me",
    "/usr/share",
    "/var/lib/app",
    "/run/app.sock",
    "/procs",
    "/srv/docker.sock.txt",
  ]
) {
  Deno.test(`forbiddenPathRule() allows ${path}`, () => equal(forbiddenPathRule(path, RUNTIME), null));
}

Deno.test("isAtOrBelow() compares whole names", () => {
  equal(isAtOrBelow("/a/b", "/a"), true);
  equal(isAtOrBelow("/ab", "/a"), false);
  equal(isAtOrBelow("/a", "/a"), true);
  equal(isAtOrBelow("/anything", "/"), true);
});
