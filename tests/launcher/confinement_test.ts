import { deepEqual, equal, notEqual, ok } from "node:assert/strict";
import { closeSync, openSync } from "node:fs";
import { join } from "node:path";
import { DEFAULT_LIMITS, NO_PERMISSIONS } from "../policy/fakes.ts";
import { GrantedDirectory } from "./granted_directory.ts";
import { inheritableFds, readProc, statusLine } from "./processes.ts";
import { deadline, ECHO_GUEST, SandboxHarness } from "./sandbox_harness.ts";

/** A running guest, seen from the host. */
async function startedPid(harness: SandboxHarness, inheritedFds: number[] = []): Promise<number> {
  const guest = await harness.launch({ inheritedFds });
  const connection = await guest.accept(deadline());
  guest.exited.finally(() => connection.close());
  return (await guest.guestPid)!;
}

Deno.test("a sandbox contains the runtime, the guest, its socket and nothing else", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const pid = await startedPid(harness);
  const runtime = harness.facts.deno!;
  const expected = [
    ...["/app/cordon-exec", "/app/deno", "/app/guest.js", "/run/cordon/rpc.sock"],
    ...["/dev/null", "/dev/urandom", "/proc/self/exe"],
    // A number that the host made up, see CLOCK_PATH.
    ...(Deno.build.arch === "x86_64" ? ["/sys/devices/system/cpu/cpu0/tsc_freq_khz"] : []),
    ...[runtime.loaderTarget, ...runtime.libraries.map((library) => library.target)],
  ];
  deepEqual(filesBelow(`/proc/${pid}/root`).sort(), expected.sort());
});

Deno.test("a sandbox can write nowhere but to its write grants", async () => {
  await using scratch = await GrantedDirectory.make();
  const grant = (name: string) => ({ source: join(scratch.path, name), target: `/data/${name}` });
  const permissions = { ...NO_PERMISSIONS, read: [grant("in")], write: [grant("out")] };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { permissions } });
  const pid = await startedPid(harness);
  const mounts = readProc(pid, "mountinfo")!.trim().split("\n").map((line) => line.split(" "));
  const writable = mounts.filter((fields) => !fields[5]!.split(",").includes("ro")).map((fields) =>
    fields[4]
  );
  deepEqual(writable.sort(), ["/data/out", "/dev/null", "/dev/urandom"]);
  ok(mounts.some((fields) => fields[4] === "/data/in"), "the read grant is not mounted");
});

Deno.test("a sandbox has a namespace of its own of every kind", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const pid = await startedPid(harness);
  for (const kind of ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"]) {
    notEqual(Deno.readLinkSync(`/proc/${pid}/ns/${kind}`), Deno.readLinkSync(`/proc/self/ns/${kind}`), kind);
  }
});

Deno.test("a sandbox shares the namespaces that the policy names and no others", async () => {
  const sharedNamespaces = ["ipc", "uts", "cgroup"] as const;
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { sharedNamespaces } });
  const pid = await startedPid(harness);
  const own = ["user", "mnt", "pid", "net", "ipc", "uts", "cgroup"].filter((kind) =>
    Deno.readLinkSync(`/proc/${pid}/ns/${kind}`) !== Deno.readLinkSync(`/proc/self/ns/${kind}`)
  );
  deepEqual(own, ["user", "mnt", "pid", "net"]);
});

Deno.test("a sandbox shares the host's network only if the policy says so", async () => {
  const permissions = { ...NO_PERMISSIONS, net: { kind: "host" as const } };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { permissions } });
  const pid = await startedPid(harness);
  equal(Deno.readLinkSync(`/proc/${pid}/ns/net`), Deno.readLinkSync("/proc/self/ns/net"));
});

Deno.test("a guest is pid 1, unprivileged, filtered, and without capabilities", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const pid = await startedPid(harness);
  const uid = String(Deno.uid() === 0 ? 65534 : Deno.uid());
  const facts = ["Uid", "Gid", "NoNewPrivs", "Seccomp", "CapEff", "CapPrm", "CapBnd", "CapAmb"]
    .map((name) => statusLine(pid, name));
  const ids = Array(4).fill(uid).join("\t");
  const gids = Array(4).fill(String(Deno.uid() === 0 ? 65534 : Deno.gid())).join("\t");
  const none = "0000000000000000";
  deepEqual(facts, [ids, gids, "1", "2", none, none, none, none]);
  equal(statusLine(pid, "NSpid")?.split("\t").at(-1), "1");
});

Deno.test("a guest has the limits of its policy", async () => {
  await using granted = await GrantedDirectory.make();
  const write = [{ source: join(granted.path, "out"), target: "/out" }];
  const limits = { ...DEFAULT_LIMITS, processes: 50, openFiles: 99, fileSizeBytes: 12345, cpuSeconds: 77 };
  await using harness = await SandboxHarness.open(ECHO_GUEST, {
    config: { limits, permissions: { ...NO_PERMISSIONS, write } },
  });
  const lines = readProc(await startedPid(harness), "limits")!.split("\n");
  const hard = (name: string) =>
    lines.find((line) => line.startsWith(name))!.slice(26).trim().split(/\s+/)[1];
  deepEqual(
    ["Max processes", "Max open files", "Max file size", "Max cpu time", "Max core file size"].map(hard),
    [
      ...["50", "99", "12345", "77", "0"],
    ],
  );
});

Deno.test("a guest that can write nowhere has no bound on files, which would bound shared memory instead", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const lines = readProc(await startedPid(harness), "limits")!.split("\n");
  ok(lines.find((line) => line.startsWith("Max file size"))?.includes("unlimited"));
});

Deno.test("a guest with little memory keeps a quarter of it for its allocator at most", async () => {
  // No multiple of four: the allocator reads whole numbers only.
  const limits = { ...DEFAULT_LIMITS, memoryBytes: 128 * 2 ** 20 + 3 };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { limits } });
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const variables = readProc((await guest.guestPid)!, "environ")!.split("\0");
  ok(variables.includes(`MALLOC_TRIM_THRESHOLD_=${32 * 2 ** 20}`), variables.join());
});

Deno.test("a guest's environment is exactly what the policy lists and what the runtime needs", async () => {
  Deno.env.set("CORDON_TEST_CANARY", "secret");
  await using _restore = {
    [Symbol.asyncDispose]: () => Promise.resolve(Deno.env.delete("CORDON_TEST_CANARY")),
  };
  const permissions = { ...NO_PERMISSIONS, env: { GREETING: "hello there" } };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { permissions } });
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const inside = readProc((await guest.guestPid)!, "environ")!.split("\0").filter((variable) =>
    variable !== ""
  ).sort();
  const expected = [
    "DENO_NO_UPDATE_CHECK=1",
    "GREETING=hello there",
    "HOME=/run/cordon",
    "MALLOC_MMAP_THRESHOLD_=33554432",
    "MALLOC_TRIM_THRESHOLD_=100663296",
    "NO_COLOR=1",
    "PWD=/app/plugin",
  ];
  deepEqual(inside, expected);
  // The runtime's own child_process tells every child the numbers of its descriptors.
  equal(readProc(guest.pid, "environ")?.replace(/^DENO_EXTRA_STDIO_FDS=[\d,]+\0$/, ""), "");
});

Deno.test("bwrap's command line names nothing of the host but itself", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const guest = await harness.launch();
  using _connection = await guest.accept(deadline());
  const guard = readProc(guest.pid, "cmdline")!.split("\0");
  const [program, ...args] = guard.slice(guard.indexOf("--") + 1);
  deepEqual(guard.slice(0, 3), [harness.directory.files.exec, "--guard", `--pdeathsig=${Deno.pid}`]);
  equal(program, harness.facts.bwrap!.path);
  const paths = args.filter((arg) => arg.startsWith("/"));
  deepEqual(paths, ["/app/cordon-exec", "/app/deno", "/app/guest.js", "/run/cordon/boot.json"]);
});

Deno.test("a guest inherits the standard streams and no other descriptor", async () => {
  await using scratch = await GrantedDirectory.make();
  const permissions = { ...NO_PERMISSIONS, read: [{ source: join(scratch.path, "in"), target: "/data" }] };
  await using harness = await SandboxHarness.open(ECHO_GUEST, { config: { permissions } });
  const fds = inheritableFds(await startedPid(harness));
  deepEqual(Object.keys(fds), ["0", "1", "2"]);
  equal(fds["0"], "/dev/null");
});

Deno.test("a guest inherits the descriptors that the request lists, from 3 on", async () => {
  await using harness = await SandboxHarness.open(ECHO_GUEST);
  const fd = openSync("/dev/zero", "r");
  try {
    const fds = inheritableFds(await startedPid(harness, [fd]));
    deepEqual(Object.keys(fds), ["0", "1", "2", "3"]);
    equal(fds["3"], "/dev/zero");
  } finally {
    closeSync(fd);
  }
});

Deno.test("a guest reads and writes its grants under the paths of the policy", async () => {
  await using scratch = await GrantedDirectory.make();
  await Deno.writeTextFile(join(scratch.path, "in", "question"), "6 * 7");
  const read = { source: join(scratch.path, "in"), target: "/data/in" };
  const write = { source: join(scratch.path, "out"), target: "/data/out" };
  await using harness = await SandboxHarness.open(
    `Deno.writeTextFileSync("/data/out/answer", String(eval(Deno.readTextFileSync("/data/in/question"))));
     try { Deno.writeTextFileSync("/data/in/answer", ""); } catch (error) { console.error(error.name); }`,
    { config: { permissions: { ...NO_PERMISSIONS, read: [read], write: [write] } } },
  );
  const { stderrTail } = await (await harness.launch()).exited;
  equal(await Deno.readTextFile(join(scratch.path, "out", "answer")), "42");
  equal(stderrTail, "NotCapable\n");
});

function filesBelow(root: string, below = ""): string[] {
  return [...Deno.readDirSync(`${root}${below}`)].flatMap((entry) => {
    const path = `${below}/${entry.name}`;
    return entry.isDirectory ? filesBelow(root, path) : [path];
  });
}
