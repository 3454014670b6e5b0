import assert from "node:assert/strict";
import { widenConnection } from "../../src/native/mod.ts";
import { nativeTest, testNative, testNativePath } from "./test_native.ts";

Deno.test(nativeTest("Native.readFile() reads pseudo files up to a bound"), async () => {
  using native = await testNative();
  const status = new TextDecoder().decode(native.readFile("/proc/self/status"));
  assert.match(status, new RegExp(`^Pid:\\t${Deno.pid}$`, "m"));
  assert.throws(() => native.readFile("/proc/self/status", 10), { name: "NativeError", errno: "EFBIG" });
  assert.throws(() => native.readFile("/proc/self/absent"), { errno: "ENOENT" });
  assert.throws(() => native.readFile("/etc\0/passwd"), { errno: "EINVAL" });
});

Deno.test(nativeTest("Native.prlimit() reads and sets limits of another process"), async () => {
  using native = await testNative();
  const child = new Deno.Command("sleep", { args: ["60"] }).spawn();
  try {
    const before = native.prlimit(child.pid, "core");
    native.prlimit(child.pid, "core", { soft: 0n, hard: before.hard });
    assert.deepEqual(native.prlimit(child.pid, "core"), { soft: 0n, hard: before.hard });
    assert.throws(() => native.prlimit(child.pid, "core", { soft: 2n, hard: 1n }), { errno: "EINVAL" });
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  assert.throws(() => native.prlimit(child.pid, "core"), { errno: "ESRCH" });
});

Deno.test(
  nativeTest("Native.sendRoom() changes both ends of a named connection, and no others"),
  async () => {
    using native = await testNative();
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/socket`;
      using listener = Deno.listen({ transport: "unix", path });
      assert.throws(() => native.sendRoom(path, 8192), {
        name: "NativeError",
        call: "sendRoom",
        errno: "ENOENT",
      });
      using near = await Deno.connect({ transport: "unix", path });
      using far = await listener.accept();
      const before = await room(near);
      // The kernel doubles what it is asked for, to count what it adds.
      assert.equal(native.sendRoom(path, 8192), 16_384);
      assert.throws(() => native.sendRoom(`${path}2`, 8192), { errno: "ENOENT" });
      assert.throws(() => native.sendRoom("", 8192), { errno: "EINVAL" });
      assert.ok(await room(far) < before / 2, `${before} bytes fitted before`);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

Deno.test(
  nativeTest("widenConnection() makes room, and leaves a connection without a name alone"),
  async () => {
    using native = await testNative();
    const directory = await Deno.makeTempDir();
    try {
      const path = `${directory}/socket`;
      using listener = Deno.listen({ transport: "unix", path });
      using narrow = await Deno.connect({ transport: "unix", path });
      using _far = await listener.accept();
      const before = await room(narrow);
      using near = await Deno.connect({ transport: "unix", path });
      using _other = await listener.accept();
      widenConnection(native, near);
      assert.ok(await room(near) > before * 1.5, `${before} bytes fitted before`);
      using server = Deno.listen({ port: 0 });
      using inet = await Deno.connect({ port: (server.addr as Deno.NetAddr).port });
      widenConnection(native, inet as unknown as Deno.UnixConn);
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
);

/** How many bytes a socket takes at once while nobody reads. */
async function room(connection: Deno.Conn): Promise<number> {
  return await connection.write(new Uint8Array(16 * 2 ** 20));
}

/** Filters act on whole processes, so each is tried in one of its own. */
async function outputOf(fixture: string): Promise<unknown> {
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", `tests/fixtures/native/${fixture}`, await testNativePath()],
    cwd: new URL("../../", import.meta.url),
  }).output();
  const text = new TextDecoder();
  assert.equal(text.decode(stderr), "");
  return JSON.parse(text.decode(stdout));
}

Deno.test(
  nativeTest("Native.installSeccomp() binds every thread, after the ffi permission was revoked too"),
  async () => {
    assert.deepEqual(await outputOf("seccomp.ts"), {
      before: "made",
      sync: "os error 122",
      async: Array(16).fill("os error 122"),
      malformed: "EINVAL",
    });
  },
);

Deno.test(
  nativeTest("Window.map() goes on showing descriptors that arrive after the ffi permission was revoked"),
  async () => {
    assert.deepEqual(await outputOf("revoked.ts"), {
      doors: Array(6).fill("NotCapable"),
      requested: "denied",
      sum: 6,
    });
  },
);
