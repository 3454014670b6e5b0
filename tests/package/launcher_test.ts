/** The launcher of compiled executables, with a shell in the place of the runtime so that each start takes milliseconds. */

import assert from "node:assert/strict";
import { LAUNCHER } from "../../src/cli/embedded/launcher.ts";
import { launcherBinary } from "../../src/cli/executable/launcher_binary.ts";
import { writeExecutable } from "../../src/cli/executable/write_executable.ts";
import { compiledLauncher, LAUNCHER_MODULE, launcherModule } from "../../tools/build_launcher.ts";
import { compilerVersion, TARGETS } from "../../tools/compile_c.ts";
import { sandboxSkip } from "../cli/cordon.ts";
import { folderWith } from "../testing/fixtures.ts";
import { type Account, unprivileged } from "./account.ts";

const launcher = Deno.build.os === "linux" ? launcherBinary(Deno.build.arch) : null;
const skip = launcher === null ? " [skipped: no launcher for this machine]" : "";
const compilers = await Promise.all(TARGETS.map(({ compiler }) => compilerVersion(compiler)));
const isSameCompiler = TARGETS.every(({ arch }, index) => LAUNCHER[arch].compiler === compilers[index]);
const REPORT = `echo "$CORDON_EXECUTABLE|$#|$1|$ESBUILD_BINARY_PATH"; exit 7`;

Deno.test({
  name: `the embedded launcher is what its source compiles to: else run deno task build${
    isSameCompiler ? "" : " [skipped: other compilers are installed]"
  }`,
  ignore: !isSameCompiler,
  async fn() {
    const launchers = await Promise.all(TARGETS.map(async (target, index) => {
      return { target, compiler: compilers[index]!, bytes: await compiledLauncher(target) };
    }));
    assert.ok(await Deno.readTextFile(LAUNCHER_MODULE) === launcherModule(launchers));
  },
});

launcherTest("hands on arguments, and the exit code of the program", async (app) => {
  const { code, out, err } = await app.start(["two words", "--help"]);
  assert.deepEqual([code, err], [7, ""]);
  assert.equal(out, `${app.path}|2|two words|${await app.unpacked()}/bundler\n`);
});

launcherTest("becomes the program: a signal ends the process itself", async (app) => {
  assert.equal((await app.start([])).signal, "SIGTERM");
}, `kill -TERM $$`);

launcherTest("leaves signals to the program", async (app) => {
  const child = app.command([]).spawn();
  const reader = child.stdout.getReader();
  await reader.read(); // the trap is set
  child.kill("SIGTERM");
  await reader.cancel();
  await child.stderr.cancel();
  assert.equal((await child.status).code, 42);
}, `trap 'exit 42' TERM; echo ready; while :; do sleep 0.01; done`);

launcherTest("unpacks once", async (app) => {
  await app.start([]);
  const first = await Deno.stat(`${await app.unpacked()}/runtime`);
  await app.start([]);
  const second = await Deno.stat(`${await app.unpacked()}/runtime`);
  assert.deepEqual([second.ino, second.mtime], [first.ino, first.mtime]);
});

launcherTest("replaces an unpacked file that was changed, and says so", async (app) => {
  await app.start([]);
  const program = `${await app.unpacked()}/program`;
  await Deno.chmod(program, 0o600);
  await Deno.writeTextFile(program, "echo tampered");
  const { code, out, err } = await app.start([]);
  assert.equal(code, 7);
  assert.doesNotMatch(out, /tampered/);
  assert.equal(err, "cordon: program was changed after it had been unpacked; it is replaced\n");
  assert.equal((await app.start([])).err, "");
});

launcherTest("detects a change that keeps size and time of modification", async (app) => {
  await app.start([]);
  const program = `${await app.unpacked()}/program`;
  const { mtime, atime } = await Deno.stat(program);
  await Deno.chmod(program, 0o600);
  await Deno.writeTextFile(program, REPORT.replace("exit 7", "exit 8"));
  await Deno.chmod(program, 0o400);
  await Deno.utime(program, atime!, mtime!);
  const { code, err } = await app.start([]);
  assert.equal(code, 7);
  assert.match(err, /program was changed/);
});

launcherTest("accepts a file whose content is right although its stamp is not", async (app) => {
  await app.start([]);
  const directory = await app.unpacked();
  await Deno.remove(`${directory}/runtime.stamp`);
  const { ino } = await Deno.stat(`${directory}/runtime`);
  assert.deepEqual([(await app.start([])).err, (await Deno.stat(`${directory}/runtime`)).ino], ["", ino]);
  await Deno.stat(`${directory}/runtime.stamp`);
});

launcherTest("follows no symbolic link in the place of an unpacked file", async (app) => {
  await app.start([]);
  const program = `${await app.unpacked()}/program`;
  await Deno.writeTextFile(`${app.directory}/other`, "echo tampered");
  await Deno.remove(program);
  await Deno.symlink(`${app.directory}/other`, program);
  const { code, out } = await app.start([]);
  assert.equal(code, 7);
  assert.doesNotMatch(out, /tampered/);
  assert.equal((await Deno.lstat(program)).isSymlink, false);
});

launcherTest("uses no directory that others can write to", async (app) => {
  await Deno.mkdir(`${app.directory}/cache/cordon-runtime`, { recursive: true });
  await Deno.chmod(`${app.directory}/cache/cordon-runtime`, 0o777);
  const home = `${app.directory}/home`;
  await Deno.mkdir(home);
  await app.own();
  const { code } = await app.start([], { HOME: home });
  assert.equal(code, 7);
  assert.deepEqual(await names(`${app.directory}/cache/cordon-runtime`), []);
  assert.deepEqual(await names(`${home}/.cache`), ["cordon-runtime"]);
});

launcherTest("refuses an executable that is damaged", async (app) => {
  const bytes = await Deno.readFile(app.path);
  const damaged = app.program.length + launcher!.length - 3;
  bytes[damaged] = bytes[damaged]! ^ 1;
  await Deno.writeFile(app.path, bytes);
  const { code, out, err } = await app.start([]);
  assert.deepEqual([code, out, err], [70, "", "cordon: this executable is damaged\n"]);
});

launcherTest("refuses an executable whose end is missing", async (app) => {
  await Deno.truncate(app.path, (await Deno.stat(app.path)).size - 1);
  const { code, err } = await app.start([]);
  assert.deepEqual([code, err], [70, "cordon: this executable is damaged\n"]);
});

launcherTest("survives many first starts at once, and leaves nothing half done", async (app) => {
  const ends = await Promise.all(Array.from({ length: 12 }, () => app.start(["x"])));
  assert.deepEqual(new Set(ends.map(({ code, err }) => `${code}${err}`)), new Set(["7"]));
  assert.deepEqual(await names(await app.unpacked()), [
    "bundler",
    "bundler.stamp",
    "program",
    "program.stamp",
    "runtime",
    "runtime.stamp",
  ]);
});

const emulator = await compilerVersion("qemu-aarch64");

Deno.test({
  name: `the launcher for aarch64 unpacks what it carries${
    emulator === null ? " [skipped: no aarch64 emulator]" : ""
  }`,
  ignore: emulator === null,
  async fn() {
    await using folder = await folderWith({ "cache/keep": "" });
    const runtime = crypto.getRandomValues(new Uint8Array(60_000));
    await writeExecutable(`${folder.path}/app`, {
      launcher: launcherBinary("aarch64")!,
      args: [],
      parts: [
        { name: "program", role: "program", mode: 0o400, source: new Uint8Array(3) },
        { name: "runtime", role: "runtime", mode: 0o555, source: runtime },
      ],
    });
    const { code, stderr } = await new Deno.Command("qemu-aarch64", {
      args: [`${folder.path}/app`],
      env: { XDG_CACHE_HOME: `${folder.path}/cache` },
    }).output();
    // Random bytes are no program: this is as far as it can come.
    assert.match(
      new TextDecoder().decode(stderr),
      /^cordon: cannot start the runtime: the kernel cannot execute it\n$/,
    );
    assert.equal(code, 70);
    const [directory] = await names(`${folder.path}/cache/cordon-runtime`);
    assert.deepEqual(
      await Deno.readFile(`${folder.path}/cache/cordon-runtime/${directory}/runtime`),
      runtime,
    );
  },
});

launcherTest(
  "says what is missing where the runtime cannot be executed",
  async (app) => {
    const bwrap = await new Deno.Command("bwrap", {
      args: ["--unshare-user", "--ro-bind", app.path, "/app", "--proc", "/proc", "--tmpfs", "/tmp", "/app"],
      clearEnv: true,
      env: { PATH: "/usr/bin" },
      ...unprivileged(),
    }).output();
    assert.equal(bwrap.code, 70);
    assert.equal(
      new TextDecoder().decode(bwrap.stderr),
      "cordon: cannot start the runtime: its loader is missing, which the system's C library (glibc) brings\n",
    );
  },
  REPORT,
  await sandboxSkip(),
);

interface App {
  readonly directory: string;
  readonly path: string;
  readonly program: string;
  command(args: readonly string[], env?: Record<string, string>): Deno.Command;
  start(args: readonly string[], env?: Record<string, string>): Promise<{
    readonly code: number;
    readonly signal: Deno.Signal | null;
    readonly out: string;
    readonly err: string;
  }>;
  /** The one directory that something was unpacked to. */
  unpacked(): Promise<string>;
  /** Give everything to the account that starts it. */
  own(): Promise<void>;
}

function launcherTest(
  claim: string,
  body: (app: App) => Promise<void>,
  program: string = REPORT,
  why: string = skip,
): void {
  Deno.test({
    name: `a compiled executable ${claim}${why}`,
    ignore: why !== "",
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "cordon-launcher-test-" });
      try {
        const app = appIn(directory, program, unprivileged());
        await writeExecutable(app.path, {
          launcher: launcher!,
          args: ["-f"],
          parts: [
            { name: "program", role: "program", mode: 0o400, source: new TextEncoder().encode(program) },
            { name: "bundler", role: "bundler", mode: 0o555, source: new TextEncoder().encode("none") },
            { name: "runtime", role: "runtime", mode: 0o555, source: "/bin/sh" },
          ],
        });
        await Deno.chmod(directory, 0o755);
        await Deno.mkdir(`${directory}/cache`);
        await app.own();
        await body(app);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

function appIn(directory: string, program: string, account: Account): App {
  const path = `${directory}/app`;
  const command = (args: readonly string[], env: Record<string, string> = {}) =>
    new Deno.Command(path, {
      args: [...args],
      clearEnv: true,
      env: { PATH: "/usr/bin:/bin", XDG_CACHE_HOME: `${directory}/cache`, ...env },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      ...account,
    });
  return {
    directory,
    path,
    program,
    command,
    async start(args, env) {
      const { code, signal, stdout, stderr } = await command(args, env).output();
      const [out, err] = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes));
      return { code, signal, out: out!, err: err! };
    },
    async unpacked() {
      const [name, ...more] = await names(`${directory}/cache/cordon-runtime`);
      assert.deepEqual(more, []);
      return `${directory}/cache/cordon-runtime/${name}`;
    },
    async own() {
      if (account.uid === undefined) return;
      const { success } = await new Deno.Command("chown", {
        args: ["-R", `${account.uid}:${account.gid}`, directory],
      })
        .output();
      assert.ok(success);
    },
  };
}

async function names(directory: string): Promise<string[]> {
  return (await Array.fromAsync(Deno.readDir(directory), ({ name }) => name)).sort();
}
