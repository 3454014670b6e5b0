import assert from "node:assert/strict";
import { bwrapOptions, bwrapVersion } from "../../src/platform/bwrap.ts";
import { cgroupMembership, cgroupMounts } from "../../src/platform/cgroup.ts";
import { containerKind, type ContainerTraces } from "../../src/platform/container.ts";
import { elfInterpreter } from "../../src/platform/elf_interpreter.ts";
import { hasRootMount } from "../../src/platform/restriction_facts.ts";
import { loaderLibraries } from "../../src/platform/loader_libraries.ts";

const NO_TRACES: ContainerTraces = {
  kernelVersion: "Linux version 6.1.0-18-amd64 (debian-kernel@lists.debian.org)",
  hasDockerenv: false,
  hasContainerenv: false,
  hasKubernetesService: false,
  announced: "",
  firstProcessCgroup: "0::/init.scope",
};

Deno.test("bwrapOptions() lists long options and nothing from their descriptions", () => {
  const help = "usage: bwrap [OPTIONS...]\n\n    --help      Print this help\n" +
    "    --share-net     Retain (can only combine with --unshare-all)\n    --ro-bind-fd FD DEST   Bind\n";
  assert.deepEqual([...bwrapOptions(help)], ["help", "share-net", "ro-bind-fd"]);
});

Deno.test("bwrapVersion() reads the number alone", () => {
  assert.equal(bwrapVersion("bubblewrap 0.11.1\n"), "0.11.1");
  assert.equal(bwrapVersion("what?"), "unknown");
});

const needsLinux = Deno.build.os === "linux" ? "" : " [skipped: not Linux]";

Deno.test(
  `elfInterpreter() reads the loader of this Deno${needsLinux}`,
  { ignore: needsLinux !== "" },
  async () => {
    using file = await Deno.open(Deno.execPath());
    const start = new Uint8Array(65_536);
    await file.read(start);
    assert.match(elfInterpreter(start) ?? "", /^\/.*\/ld-(linux|musl)/);
  },
);

Deno.test("elfInterpreter() answers null to everything that is no 64-bit ELF file, whole or cut", () => {
  assert.equal(elfInterpreter(new Uint8Array()), null);
  assert.equal(elfInterpreter(new TextEncoder().encode("#!/bin/sh\n".repeat(50))), null);
  const cut = new Uint8Array(64);
  cut.set([0x7f, 0x45, 0x4c, 0x46, 2, 1]);
  const view = new DataView(cut.buffer);
  view.setBigUint64(32, 2n ** 60n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, 65_535, true);
  assert.equal(elfInterpreter(cut), null);
});

Deno.test("loaderLibraries() keeps libraries and drops the loader and the vdso", () => {
  const glibc =
    "\tlinux-vdso.so.1 (0x00007f36)\n\tlibdl.so.2 => /lib/x86_64-linux-gnu/libdl.so.2 (0x00007f36)\n" +
    "\tlibc.so.6 => /lib/x86_64-linux-gnu/libc.so.6 (0x00007f36)\n\t/lib64/ld-linux-x86-64.so.2 (0x00007f36)\n";
  assert.deepEqual(loaderLibraries(glibc), [
    "/lib/x86_64-linux-gnu/libdl.so.2",
    "/lib/x86_64-linux-gnu/libc.so.6",
  ]);
  const arch = "\t/lib64/ld-linux-x86-64.so.2 => /usr/lib64/ld-linux-x86-64.so.2 (0x00007)\n" +
    "\tlibm.so.6 => /usr/lib/libm.so.6 (0x0000)\n";
  assert.deepEqual(loaderLibraries(arch), ["/usr/lib/libm.so.6"]);
});

Deno.test("loaderLibraries() throws when a library is missing", () => {
  assert.throws(() => loaderLibraries("\tlibgcc_s.so.1 => not found\n"), {
    name: "RangeError",
    message: 'Cannot list the libraries as "libgcc_s.so.1" was not found: not found',
  });
});

Deno.test("containerKind() recognises each kind by its traces", () => {
  assert.equal(containerKind(NO_TRACES), null);
  assert.equal(containerKind({ ...NO_TRACES, hasDockerenv: true }), "docker");
  assert.equal(containerKind({ ...NO_TRACES, hasContainerenv: true, announced: "podman" }), "podman");
  assert.equal(containerKind({ ...NO_TRACES, hasDockerenv: true, hasKubernetesService: true }), "kubernetes");
  assert.equal(
    containerKind({ ...NO_TRACES, firstProcessCgroup: "0::/kubepods/besteffort/pod1" }),
    "kubernetes",
  );
  assert.equal(containerKind({ ...NO_TRACES, announced: "lxc" }), "lxc");
  assert.equal(containerKind({ ...NO_TRACES, announced: "systemd-nspawn" }), "other");
  const wsl2 = "Linux version 6.6.87.2-microsoft-standard-WSL2";
  assert.equal(containerKind({ ...NO_TRACES, kernelVersion: wsl2 }), "wsl2");
  assert.equal(containerKind({ ...NO_TRACES, kernelVersion: "Linux version 4.4.0-19041-Microsoft" }), "wsl1");
  assert.equal(containerKind({ ...NO_TRACES, kernelVersion: wsl2, hasDockerenv: true }), "docker");
});

Deno.test("cgroupMounts() finds both versions in a mount table", () => {
  const table = "24 1 0:22 / /sys rw - sysfs sysfs rw\n" +
    "30 24 0:26 / /sys/fs/cgroup/memory rw,relatime - cgroup cgroup rw,memory\n" +
    "31 24 0:27 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
    "32 24 0:28 / /sys/fs/cgroup/unified rw shared:9 - cgroup2 cgroup2 rw\n";
  assert.deepEqual(cgroupMounts(table), [
    { version: 1, mountPoint: "/sys/fs/cgroup/memory", controllers: ["memory"] },
    { version: 1, mountPoint: "/sys/fs/cgroup/cpu,cpuacct", controllers: ["cpu"] },
    { version: 2, mountPoint: "/sys/fs/cgroup/unified", controllers: [] },
  ]);
});

Deno.test("cgroupMembership() maps each controller to its group", () => {
  const groups = cgroupMembership(
    "4:memory:/a/b\n3:cpu,cpuacct:/c\n1:name=systemd:/\n0::/user.slice/x.scope",
  );
  assert.deepEqual(Object.fromEntries(groups), {
    memory: "/a/b",
    cpu: "/c",
    cpuacct: "/c",
    "name=systemd": "/",
    "": "/user.slice/x.scope",
  });
});

Deno.test("hasRootMount() tells a chroot into a plain directory from a mounted root", () => {
  const proc = "40 30 0:20 / /proc rw,nosuid shared:12 - proc proc rw\n";
  assert.equal(hasRootMount(`25 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n${proc}`), true);
  assert.equal(hasRootMount(proc), false);
});
