import { deepEqual, equal, ok, rejects, throws } from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "../../src/errors.ts";
import { type HostDirectoryOptions, openHostDirectory } from "../../src/launcher/host_directory.ts";
import { runSockets } from "../../src/launcher/run_sockets.ts";
import type { HostDirectory } from "../../src/launcher/types.ts";
import { accessObstacle } from "../../src/policy/account_access.ts";
import { fakeFacts } from "../policy/fakes.ts";

const isRoot = Deno.uid() === 0;
const needsRoot = isRoot ? "" : " [skipped: needs a root host]";
const NOBODY = { uid: 65534, gid: 65534 };

class Scratch implements AsyncDisposable {
  private constructor(readonly path: string, readonly runtimeDirectory: string) {}
  static async make(): Promise<Scratch> {
    const path = await Deno.realPath(await Deno.makeTempDir({ prefix: "cordon-" }));
    return new Scratch(path, join(path, "run"));
  }
  open(changes: Partial<HostDirectoryOptions> = {}): Promise<HostDirectory> {
    return openHostDirectory({
      runtimeDirectory: this.runtimeDirectory,
      runAs: null,
      deno: { ...fakeFacts().deno!, path: Deno.execPath() },
      guestScript: "console.log('guest')",
      nativeLibrary: null,
      ...changes,
    });
  }
  names(): string[] {
    return [...Deno.readDirSync(this.runtimeDirectory)].map((entry) => entry.name).sort();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.path, { recursive: true });
  }
}

Deno.test("openHostDirectory() makes directories that nobody else can read or write", async () => {
  await using scratch = await Scratch.make();
  await using host = await scratch.open();
  const sandbox = host.createSandboxDirectory();
  for (const path of [scratch.runtimeDirectory, host.path, sandbox.path, sandbox.plugin, sandbox.run]) {
    equal((await Deno.stat(path)).mode! & 0o777, 0o700, path);
  }
  const file = join(sandbox.plugin, "data", "secret.txt");
  sandbox.write(file, "secret");
  equal((await Deno.stat(join(file, ".."))).mode! & 0o777, 0o700);
  equal((await Deno.stat(file)).mode! & 0o777, 0o600);
});

Deno.test("openHostDirectory() installs the guest's files unwritable, whatever the umask", async () => {
  await using scratch = await Scratch.make();
  const library = join(scratch.path, "library.so");
  await Deno.writeTextFile(library, "library");
  const before = Deno.umask(0o077);
  try {
    await using host = await scratch.open({ nativeLibrary: library });
    equal(await Deno.readTextFile(host.files.guest), "console.log('guest')");
    equal(await Deno.readTextFile(host.files.library!), "library");
    const modes = [host.files.guest, host.files.library!, host.files.exec!].map((path) =>
      Deno.statSync(path).mode! & 0o777
    );
    deepEqual(modes, [0o444, 0o555, 0o555]);
  } finally {
    Deno.umask(before);
  }
});

Deno.test("openHostDirectory() leaves nothing when it is disposed, and can be disposed twice", async () => {
  await using scratch = await Scratch.make();
  const host = await scratch.open();
  equal(scratch.names().length, 2);
  await host[Symbol.asyncDispose]();
  await host[Symbol.asyncDispose]();
  deepEqual(scratch.names(), ["lock"]);
});

Deno.test("openHostDirectory() sweeps a dead host's directory and leaves a living one's alone", async () => {
  await using scratch = await Scratch.make();
  await using living = await scratch.open();
  const dead = join(scratch.runtimeDirectory, "h-0dead000");
  await Deno.mkdir(join(dead, "0", "p"), { recursive: true });
  await Deno.writeTextFile(join(dead, "lock"), "");
  const other = join(scratch.runtimeDirectory, "unrelated");
  await Deno.mkdir(other);
  await using _second = await scratch.open();
  ok(!scratch.names().includes("h-0dead000"));
  ok(scratch.names().includes("unrelated"));
  ok((await Deno.stat(living.files.guest)).isFile);
});

Deno.test("openHostDirectory() removes what was half made when its host died, and nothing else", async () => {
  await using scratch = await Scratch.make();
  await using living = await scratch.open();
  for (const name of ["h-0half000", "other"]) await Deno.mkdir(join(scratch.runtimeDirectory, name));
  await using next = await scratch.open();
  const hosts = [living, next].map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
  deepEqual(scratch.names(), [...hosts, "lock", "other"].sort());
});

Deno.test("openHostDirectory() opened many times at once gives each its own directory", async () => {
  await using scratch = await Scratch.make();
  const hosts = await Promise.all(Array.from({ length: 8 }, () => scratch.open()));
  equal(new Set(hosts.map((host) => host.path)).size, 8);
  equal(scratch.names().length, 9);
  for (const host of hosts) await host[Symbol.asyncDispose]();
  deepEqual(scratch.names(), ["lock"]);
});

Deno.test("openHostDirectory() leaves an existing directory's mode as it is, and refuses one that others can write", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(scratch.runtimeDirectory);
  for (const mode of [0o1777, 0o770, 0o702]) {
    await Deno.chmod(scratch.runtimeDirectory, mode);
    await rejects(scratch.open(), isRefusal("others can write"));
    equal((await Deno.stat(scratch.runtimeDirectory)).mode! & 0o7777, mode);
  }
  await Deno.chmod(scratch.runtimeDirectory, 0o750);
  await using _host = await scratch.open();
  equal((await Deno.stat(scratch.runtimeDirectory)).mode! & 0o7777, 0o750);
});

Deno.test("openHostDirectory() refuses a link in place of the runtime directory", async () => {
  await using scratch = await Scratch.make();
  await Deno.mkdir(join(scratch.path, "elsewhere"));
  await Deno.symlink(join(scratch.path, "elsewhere"), scratch.runtimeDirectory);
  await rejects(scratch.open(), isRefusal("not a directory"));
});

Deno.test("openHostDirectory() refuses a runtime directory whose sockets would have too long a path", async () => {
  await using scratch = await Scratch.make();
  // The debugger's socket has the longest name, below the last of very many sandboxes.
  const longest = 107 - runSockets("/h-01234567/zzzzzz/r").inspector.length;
  const ofLength = (length: number) => `${scratch.path}/${"x".repeat(length - scratch.path.length - 1)}`;
  await using _host = await scratch.open({ runtimeDirectory: ofLength(longest) });
  await rejects(scratch.open({ runtimeDirectory: ofLength(longest + 1) }), isRefusal("107 bytes"));
});

Deno.test("openHostDirectory() refuses a runtime directory that Deno's flags cannot name", async () => {
  await using scratch = await Scratch.make();
  await rejects(scratch.open({ runtimeDirectory: join(scratch.path, "a,b") }), isRefusal("comma"));
});

Deno.test({
  name: `openHostDirectory() refuses somebody else's directory${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.mkdir(scratch.runtimeDirectory);
    await Deno.chown(scratch.runtimeDirectory, NOBODY.uid, NOBODY.gid);
    await rejects(scratch.open(), isRefusal("belongs to uid 65534"));
  },
});

Deno.test({
  name: `openHostDirectory() refuses a runtime directory out of the account's reach${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await rejects(scratch.open({ runAs: NOBODY }), isRefusal(`no "x" on "${scratch.path}"`));
  },
});

Deno.test({
  name: `openHostDirectory() lets the account read a sandbox's directory and change nothing${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.chmod(scratch.path, 0o755);
    await using host = await scratch.open({ runAs: NOBODY });
    const sandbox = host.createSandboxDirectory();
    const file = join(sandbox.plugin, "deep", "er", "main.js");
    await sandbox.write(file, "1");
    for (const path of [sandbox.plugin, sandbox.run, file, host.files.guest]) {
      equal(await accessObstacle(path, NOBODY, "read"), null, path);
      ok((await accessObstacle(path, NOBODY, "write"))?.missing.includes("w"), path);
      ok(
        (await accessObstacle(path, { uid: 12345, gid: 12345 }, "read")) !== null ||
          path === host.files.guest,
        path,
      );
    }
  },
});

/** A runtime below a directory like root's home, and what becomes of it. */
async function hiddenRuntime(
  scratch: Scratch,
  place: string,
  mode: number,
): Promise<[Deno.FileInfo, Deno.FileInfo]> {
  await Deno.chmod(scratch.path, 0o755);
  const hidden = join(place, "hidden");
  await Deno.mkdir(hidden, { mode: 0o700 });
  const path = join(hidden, "deno");
  await Deno.writeTextFile(path, "runtime");
  await Deno.chmod(path, mode);
  await using host = await scratch.open({ runAs: NOBODY, deno: { ...fakeFacts().deno!, path } });
  const { deno } = host.files;
  equal(deno, join(host.path, "shared", "deno"));
  equal(await Deno.readTextFile(deno), "runtime");
  equal(await accessObstacle(deno, NOBODY, "execute"), null);
  return [await Deno.stat(path), await Deno.stat(deno)];
}

for (
  const [mode, what] of [
    [0o755, "a second name"],
    [0o700, "a copy where only root can use it"],
    [0o751, "a copy where the account cannot read it"],
    [0o754, "a copy where the account cannot execute it"],
  ] as const
) {
  Deno.test({
    name: `openHostDirectory() gives a runtime that the account cannot reach ${what}${needsRoot}`,
    ignore: !isRoot,
    fn: async () => {
      await using scratch = await Scratch.make();
      const [source, seen] = await hiddenRuntime(scratch, scratch.path, mode);
      const isSame = what === "a second name";
      equal(seen.ino === source.ino, isSame);
      deepEqual([source.mode! & 0o777, seen.mode! & 0o777], [mode, isSame ? mode : 0o555]);
    },
  });
}

const isElsewhere = isRoot && isOtherFileSystem("/dev/shm");
const needsElsewhere = isElsewhere
  ? ""
  : " [skipped: needs a root host with /dev/shm in a file system of its own]";

Deno.test({
  name:
    `openHostDirectory() copies a runtime of another file system that the account cannot reach${needsElsewhere}`,
  ignore: !isElsewhere,
  fn: async () => {
    await using scratch = await Scratch.make();
    const place = await Deno.makeTempDir({ dir: "/dev/shm", prefix: "cordon-" });
    try {
      const [source, seen] = await hiddenRuntime(scratch, place, 0o755);
      ok(seen.dev !== source.dev);
      equal(seen.mode! & 0o777, 0o555);
    } finally {
      await Deno.remove(place, { recursive: true });
    }
  },
});

Deno.test({
  name: `openHostDirectory() leaves a runtime where it is that the account can reach${needsRoot}`,
  ignore: !isRoot,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.chmod(scratch.path, 0o755);
    const path = join(scratch.path, "deno");
    await Deno.writeTextFile(path, "runtime");
    await Deno.chmod(path, 0o755);
    await using host = await scratch.open({ runAs: NOBODY, deno: { ...fakeFacts().deno!, path } });
    equal(host.files.deno, path);
  },
});

const canMount = isRoot && mounts();
const needsMount = canMount ? "" : " [skipped: needs the right to mount]";

Deno.test({
  name: `openHostDirectory() refuses a file system on which nothing can be executed${needsMount}`,
  ignore: !canMount,
  fn: async () => {
    await using scratch = await Scratch.make();
    await Deno.mkdir(scratch.runtimeDirectory);
    const mount = ["-t", "tmpfs", "-o", "noexec,mode=700", "none", scratch.runtimeDirectory];
    equal((await new Deno.Command("mount", { args: mount }).output()).code, 0);
    try {
      await rejects(scratch.open(), isRefusal("nothing in it can be executed"));
      deepEqual(scratch.names(), ["lock"]);
    } finally {
      equal((await new Deno.Command("umount", { args: [scratch.runtimeDirectory] }).output()).code, 0);
    }
  },
});

Deno.test("SandboxDirectory.write() refuses a path outside the directory", async () => {
  await using scratch = await Scratch.make();
  await using host = await scratch.open();
  const sandbox = host.createSandboxDirectory();
  for (const path of [join(scratch.path, "x"), `${sandbox.path}/../x`, `${sandbox.path}x/y`]) {
    throws(() => sandbox.write(path, ""), RangeError);
  }
});

Deno.test("SandboxDirectory.remove() removes everything and can be called twice", async () => {
  await using scratch = await Scratch.make();
  await using host = await scratch.open();
  const sandbox = host.createSandboxDirectory();
  await sandbox.write(join(sandbox.plugin, "main.js"), new Uint8Array(3));
  await sandbox.remove();
  await sandbox.remove();
  deepEqual([...Deno.readDirSync(host.path)].map((entry) => entry.name).sort(), ["lock", "shared"]);
});

function isRefusal(text: string): (error: Error) => boolean {
  return (error) =>
    error instanceof ConfigError && error.path === "runtimeDirectory" && error.message.includes(text);
}

/** Whether this process may mount at all; tried where nobody else sees it. */
function mounts(): boolean {
  const args = ["--mount", "mount", "-t", "tmpfs", "none", "/tmp"];
  return new Deno.Command("unshare", { args, stdout: "null", stderr: "null" }).outputSync().success;
}

function isOtherFileSystem(directory: string): boolean {
  try {
    const scratch = Deno.makeTempDirSync({ prefix: "cordon-" });
    const isOther = Deno.statSync(directory).dev !== Deno.statSync(scratch).dev;
    Deno.removeSync(scratch);
    return isOther;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
