import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, existsSync, openSync } from "node:fs";
import { CORDON_EXEC } from "../../src/launcher/embedded/cordon_exec.ts";
import { cordonExecBinary } from "../../src/launcher/exec/mod.ts";
import { bwrapFilter } from "../../src/launcher/seccomp/mod.ts";
import { compiledExec, EXEC_MODULE, execModule } from "../../tools/build_exec.ts";
import { compilerVersion, TARGETS } from "../../tools/compile_c.ts";

const binary = Deno.build.os === "linux" ? cordonExecBinary(Deno.build.arch) : null;
const landlockAbi = Deno.build.os === "linux" ? await installedLandlockAbi() : 0;
const SYSTEM = ["/usr", "/lib", "/lib64", "/bin"].filter((path) => exists(path)).map((path) =>
  `--landlock-rx=${path}`
);
const NO_FILTER = { network: false, unix: false, gpu: false };

interface Outcome {
  readonly code: number | null;
  readonly signal: string | null;
  readonly stdout: string;
  readonly stderr: string;
}

function execTest(
  claim: string,
  body: (run: Run, directory: string) => Promise<void>,
  missing: string | null = null,
) {
  const why = binary === null ? "no cordon-exec for this machine" : missing;
  Deno.test({
    name: why === null ? claim : `${claim} [skipped: ${why}]`,
    ignore: why !== null,
    fn: async () => {
      const directory = await Deno.makeTempDir({ prefix: "cordon-exec-test-" });
      try {
        await Deno.writeFile(`${directory}/cordon-exec`, binary!, { mode: 0o755 });
        await body((args, fds) => run(`${directory}/cordon-exec`, args, fds), directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

type Run = (args: readonly string[], fds?: readonly string[]) => Promise<Outcome>;

/** Runs it; the files are open on the descriptors from 3 on. */
async function run(
  program: string,
  args: readonly string[],
  files: readonly string[] = [],
): Promise<Outcome> {
  const descriptors = files.map((file) => openSync(file, "r"));
  const child = spawn(program, [...args], {
    stdio: ["ignore", "pipe", "pipe", ...descriptors],
    env: { KEPT: "yes" },
  });
  const exit = once(child, "close");
  const [stdout, stderr] = await Promise.all([text(child.stdio[1]), text(child.stdio[2])]);
  const [code, signal] = await exit as [number | null, string | null];
  descriptors.forEach((descriptor) => closeSync(descriptor));
  return { code, signal, stdout, stderr };
}

async function text(stream: unknown): Promise<string> {
  const chunks: BlobPart[] = [];
  for await (const chunk of stream as AsyncIterable<BlobPart>) chunks.push(chunk);
  return await new Blob(chunks).text();
}

async function installedLandlockAbi(): Promise<number> {
  const libc = Deno.dlopen("libc.so.6", {
    syscall: { parameters: ["i64", "u64", "u64", "u64"], result: "i64" },
  });
  const abi = Number(await Promise.resolve(libc.symbols.syscall(444n, 0n, 0n, 1n)));
  libc.close();
  return Math.max(0, abi);
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function needsLandlock(abi: number): string | null {
  return landlockAbi >= abi ? null : `Landlock ABI ${abi} needed, ${landlockAbi} found`;
}

function succeeds({ code, signal, stdout, stderr }: Outcome): string {
  assert.deepEqual({ code, signal, stderr }, { code: 0, signal: null, stderr: "" });
  return stdout;
}

execTest(
  "cordon-exec --account leaves none of the host's accounts and groups",
  async (_run, directory) => {
    const groups = async (options: readonly string[]) => {
      const command = [`${directory}/cordon-exec`, ...options, "--", "/bin/cat", "/proc/self/status"];
      const { stdout } = await run("/usr/bin/setpriv", ["--groups", "4242", ...command]);
      return [...stdout.matchAll(/^(?:Uid|Gid|Groups):[\t ]*(.*?)[\t ]*$/gm)].map(([, values]) => values);
    };
    const own = "0\t0\t0\t0", others = "65534\t65534\t65534\t65534";
    assert.deepEqual(await groups([]), [own, own, "4242"], "the control: they are passed on otherwise");
    assert.deepEqual(await groups(["--account=65534:65534"]), [others, others, ""]);
  },
  Deno.uid() === 0 && existsSync("/usr/bin/setpriv") ? null : "needs root and setpriv",
);

execTest("cordon-exec becomes the program and passes arguments and environment on", async (run) => {
  const out = await run([
    "--no-new-privs",
    "--",
    "/bin/sh",
    "-c",
    'echo "$KEPT $0 $1"',
    "zero",
    "--landlock-scope",
  ]);
  assert.equal(succeeds(out), "yes zero --landlock-scope\n");
});

execTest("cordon-exec refuses every mistake in its options before it does anything", async (run) => {
  const mistakes: Record<string, readonly string[]> = {
    "no program": [],
    "--unknown": ["--unknown", "--", "/bin/true"],
    "--rlimit=cpu:1": ["--rlimit=cpu:1", "--", "/bin/true"],
    "--rlimit=nope:1:1": ["--rlimit=nope:1:1", "--", "/bin/true"],
    "--rlimit=cpu:1:1x": ["--rlimit=cpu:1:1x", "--", "/bin/true"],
    "--rlimit=cpu:-1:1": ["--rlimit=cpu:-1:1", "--", "/bin/true"],
    "--rlimit=cpu:18446744073709551616:1": ["--rlimit=cpu:18446744073709551616:1", "--", "/bin/true"],
    "--landlock-abi=8": ["--landlock-abi=8", "--", "/bin/true"],
    "no --landlock-abi": ["--landlock-ro=/usr", "--", "/bin/true"],
    "--landlock-ro=usr": ["--landlock-abi=1", "--landlock-ro=usr", "--", "/bin/true"],
    "--landlock-bind=65536": ["--landlock-abi=4", "--landlock-bind=65536", "--", "/bin/true"],
    "--close-fds-from=": ["--close-fds-from=", "--", "/bin/true"],
    "--no-new-privsx": ["--no-new-privsx", "--", "/bin/true"],
    "--args-fd=3": ["--args-fd=3", "--", "/bin/true"],
  };
  for (const [what, args] of Object.entries(mistakes)) {
    assert.deepEqual(await run(args), {
      code: 64,
      signal: null,
      stdout: "",
      stderr: `cordon-exec: ${what}: EINVAL\n`,
    });
  }
  const missing = await run(["--no-new-privs"]);
  assert.deepEqual([missing.code, missing.stderr], [64, "cordon-exec: no program: EINVAL\n"]);
});

execTest("cordon-exec sets resource limits, soft and hard", async (run) => {
  const free = succeeds(await run(["--", "/bin/sh", "-c", "ulimit -n; ulimit -Hn"]));
  const out = await run(["--rlimit=nofile:20:30", "--", "/bin/sh", "-c", "ulimit -n; ulimit -Hn"]);
  assert.equal(succeeds(out), "20\n30\n");
  assert.notEqual(free, "20\n30\n");
});

execTest("cordon-exec fails when a limit cannot be set", async (run) => {
  const out = await run(["--rlimit=nofile:31:30", "--", "/bin/true"]);
  assert.deepEqual([out.code, out.stderr], [66, "cordon-exec: --rlimit=nofile:31:30: EINVAL\n"]);
});

execTest("cordon-exec sets no_new_privs", async (run) => {
  const show = ["--", "/bin/grep", "NoNewPrivs", "/proc/self/status"];
  assert.equal(succeeds(await run(show)), "NoNewPrivs:\t0\n");
  assert.equal(succeeds(await run(["--no-new-privs", ...show])), "NoNewPrivs:\t1\n");
});

execTest("cordon-exec lets Landlock refuse files that are not listed", async (run, directory) => {
  await Deno.writeTextFile(`${directory}/granted`, "granted");
  await Deno.writeTextFile(`${directory}/secret`, "secret");
  const walls = ["--no-new-privs", "--landlock-abi=1", ...SYSTEM, `--landlock-ro=${directory}/granted`];
  assert.equal(succeeds(await run(["--", "/bin/cat", `${directory}/secret`])), "secret");
  assert.equal(succeeds(await run([...walls, "--", "/bin/cat", `${directory}/granted`])), "granted");
  const denied = await run([...walls, "--", "/bin/cat", `${directory}/secret`]);
  assert.deepEqual([denied.code, denied.stdout], [1, ""]);
  assert.match(denied.stderr, /secret: Permission denied/);
}, needsLandlock(1));

execTest("cordon-exec lets Landlock tell reading, writing and executing apart", async (run, directory) => {
  const [ro, rw] = [`${directory}/ro`, `${directory}/rw`];
  for (const path of [ro, rw]) {
    await Deno.mkdir(path);
    await Deno.copyFile(`${directory}/cordon-exec`, `${path}/program`);
  }
  const walls = [
    "--no-new-privs",
    "--landlock-abi=3",
    ...SYSTEM,
    `--landlock-ro=${ro}`,
    `--landlock-rw=${rw}`,
  ];
  const shell = (script: string) => run([...walls, "--", "/bin/sh", "-c", script]);
  assert.equal(
    succeeds(await shell(`echo x > ${rw}/new && mv ${rw}/new ${rw}/moved && rm ${rw}/moved && echo ok`)),
    "ok\n",
  );
  assert.match((await shell(`echo x > ${ro}/new`)).stderr, /Permission denied/);
  for (const path of [ro, rw]) {
    const control = await run(["--", `${path}/program`, "--", "/bin/true"]);
    assert.equal(control.code, 0);
    const denied = await run([...walls, "--", `${path}/program`, "--", "/bin/true"]);
    assert.deepEqual([denied.code, denied.stderr], [71, `cordon-exec: ${path}/program: EACCES\n`]);
  }
}, needsLandlock(3));

execTest("cordon-exec fails when Landlock cannot be had as asked", async (run, directory) => {
  const missing = `${directory}/missing`;
  const absent = await run([
    "--no-new-privs",
    "--landlock-abi=1",
    `--landlock-ro=${missing}`,
    "--",
    "/bin/true",
  ]);
  assert.deepEqual([absent.code, absent.stderr], [68, `cordon-exec: ${missing}: ENOENT\n`]);
  for (const option of ["--landlock-scope", "--landlock-connect=none", "--landlock-bind=80"]) {
    const old = await run(["--no-new-privs", "--landlock-abi=3", option, "--", "/bin/true"]);
    assert.deepEqual([old.code, old.stderr], [68, "cordon-exec: landlock-abi: EOPNOTSUPP\n"]);
  }
}, needsLandlock(3));

execTest("cordon-exec fails when its parent is not the one expected, and runs when it is", async (run) => {
  assert.equal(succeeds(await run([`--pdeathsig=${Deno.pid}`, "--", "/bin/echo", "alive"])), "alive\n");
  const orphan = await run([`--pdeathsig=${Deno.pid + 1}`, "--", "/bin/echo", "alive"]);
  assert.deepEqual([orphan.code, orphan.stdout, orphan.stderr], [65, "", "cordon-exec: pdeathsig: ESRCH\n"]);
});

execTest("cordon-exec closes the descriptors from a number on", async (run, directory) => {
  await Deno.writeTextFile(`${directory}/file`, "");
  const files = Array.from({ length: 5 }, () => `${directory}/file`);
  const list = [
    "--",
    "/bin/sh",
    "-c",
    "for n in 3 4 5 6 7; do [ -e /proc/self/fd/$n ] && echo $n; done; true",
  ];
  assert.equal(succeeds(await run(list, files)), "3\n4\n5\n6\n7\n");
  const out = await run(["--close-fds-from=5", ...list], files);
  assert.equal(succeeds(out), "3\n4\n");
});

execTest("cordon-exec installs a filter for the program", async (run, directory) => {
  await Deno.writeFile(`${directory}/filter`, bwrapFilter(NO_FILTER, Deno.build.arch));
  const setuid = ["--", "/bin/chmod", "4755", `${directory}/filter`];
  assert.equal(succeeds(await run(setuid)), "");
  const denied = await run(["--no-new-privs", "--seccomp-fd=3", ...setuid], [`${directory}/filter`]);
  assert.equal(denied.code, 1);
  assert.match(denied.stderr, /Operation not permitted/);
});

execTest("cordon-exec fails on a filter that is missing, empty, cut or wrong", async (run, directory) => {
  const filters = {
    empty: [0],
    cut: [0, 1, 2, 3, 4, 5, 6, 7, 8].slice(1, 8),
    wrong: Array<number>(8).fill(0xff),
  };
  const args = ["--no-new-privs", "--seccomp-fd=3", "--", "/bin/true"];
  for (const [name, bytes] of Object.entries(filters)) {
    await Deno.writeFile(`${directory}/${name}`, new Uint8Array(bytes));
    const out = await run(args, [`${directory}/${name}`]);
    const what = name === "wrong" ? "seccomp" : "read filter";
    assert.deepEqual([out.code, out.stderr], [70, `cordon-exec: ${what}: EINVAL\n`]);
  }
  const missing = await run(args);
  assert.deepEqual([missing.code, missing.stderr], [70, "cordon-exec: read filter: EBADF\n"]);
});

execTest("cordon-exec reads its arguments from a descriptor, and closes it", async (run, directory) => {
  const args = [
    "--close-fds-from=3",
    "--",
    "/bin/sh",
    "-c",
    'echo "$1"; ls /proc/self/fd | wc -l',
    "sh",
    "a b",
  ];
  await Deno.writeTextFile(`${directory}/args`, args.map((arg) => `${arg}\0`).join(""));
  assert.equal(succeeds(await run(["--args-fd=3"], [`${directory}/args`])), "a b\n4\n");
  await Deno.writeTextFile(`${directory}/cut`, args.join("\0"));
  const cut = await run(["--args-fd=3"], [`${directory}/cut`]);
  assert.deepEqual([cut.code, cut.stderr], [64, "cordon-exec: --args-fd=3: EINVAL\n"]);
  const missing = await run(["--args-fd=3"]);
  assert.deepEqual([missing.code, missing.stderr], [64, "cordon-exec: --args-fd=3: EBADF\n"]);
});

execTest("cordon-exec says when the program cannot be started", async (run) => {
  const missing = await run(["--", "/nonexistent/program"]);
  assert.deepEqual([missing.code, missing.stderr], [71, "cordon-exec: /nonexistent/program: ENOENT\n"]);
});

execTest(
  "cordon-exec shows a file and tells which it is, for hosts that may not look",
  async (run, directory) => {
    const long = "0123456789".repeat(1000);
    await Deno.writeTextFile(`${directory}/long`, long);
    await Deno.symlink("long", `${directory}/link`);
    assert.equal(succeeds(await run([`--show=${directory}/long`])), long);
    assert.match(succeeds(await run(["--show=/proc/self/status"])), /^VmData:\s+\d+ kB$/m);
    for (const name of ["long", "link"]) {
      const { ino } = await Deno.lstat(`${directory}/${name}`);
      assert.match(
        succeeds(await run([`--identify=${directory}/${name}`])),
        new RegExp(`^\\d+ \\d+ ${ino}\n$`),
      );
    }
    for (const option of ["--show=/proc/none", "--identify=/proc/none"]) {
      const { code, stderr } = await run([option]);
      assert.deepEqual([code, stderr], [73, `cordon-exec: ${option}: ENOENT\n`]);
    }
    const both = await run(["--show=/etc/hostname", "--", "/bin/true"]);
    assert.deepEqual([both.code, both.stderr], [64, "cordon-exec: --show=/etc/hostname: EINVAL\n"]);
  },
);

const emulator = await compilerVersion("qemu-aarch64-static");
Deno.test({
  name: `cordon-exec for aarch64 sets limits and starts the program${
    emulator === null ? " [skipped: no qemu-aarch64-static]" : ""
  }`,
  ignore: emulator === null,
  fn: async () => {
    const directory = await Deno.makeTempDir({ prefix: "cordon-exec-test-" });
    try {
      await Deno.writeFile(`${directory}/cordon-exec`, cordonExecBinary("aarch64")!, { mode: 0o755 });
      const emulated: Run = (args) =>
        run("/usr/bin/qemu-aarch64-static", [`${directory}/cordon-exec`, ...args]);
      const shell = ["--", "/bin/sh", "-c", 'ulimit -n; echo "$KEPT $0"', "zero"];
      assert.equal(
        succeeds(await emulated(["--rlimit=nofile:20:30", "--no-new-privs", ...shell])),
        "20\nyes zero\n",
      );
      const wrong = await emulated(["--unknown", ...shell]);
      assert.deepEqual([wrong.code, wrong.stderr], [64, "cordon-exec: --unknown: EINVAL\n"]);
      const missing = await emulated(["--", "/nonexistent/program"]);
      assert.deepEqual([missing.code, missing.stderr], [71, "cordon-exec: /nonexistent/program: ENOENT\n"]);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});

for (const target of TARGETS) {
  const embedded = CORDON_EXEC[target.arch];
  const compiler = await compilerVersion(target.compiler);
  const why = compiler === embedded.compiler
    ? null
    : `compiler is ${compiler}, embedded was made by ${embedded.compiler}`;
  const claim = `the embedded cordon-exec for ${target.arch} is what its source compiles to`;
  Deno.test({
    name: why === null ? claim : `${claim} [skipped: ${why}]`,
    ignore: why !== null,
    fn: async () => {
      assert.deepEqual(await compiledExec(target), cordonExecBinary(target.arch));
    },
  });
}

Deno.test("the embedded cordon-exec module is what the build writes", async () => {
  const programs = TARGETS.map((target) => ({
    target,
    compiler: CORDON_EXEC[target.arch].compiler,
    bytes: cordonExecBinary(target.arch)!,
  }));
  assert.equal(execModule(programs), await Deno.readTextFile(EXEC_MODULE));
});
