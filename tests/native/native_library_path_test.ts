import assert from "node:assert/strict";
import { NativeError } from "../../src/errors.ts";
import { embeddedLibrary, nativeLibraryPath, openNative } from "../../src/native/mod.ts";
import { nativeTest } from "./test_native.ts";

async function withDirectory(body: (directory: string) => Promise<void>): Promise<void> {
  const directory = await Deno.makeTempDir({ prefix: "cordon-native-" });
  try {
    await body(directory);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

Deno.test(
  nativeTest("nativeLibraryPath() writes a library that loads, and finds it again"),
  () =>
    withDirectory(async (directory) => {
      const path = await nativeLibraryPath(directory);
      assert(path !== null);
      const written = await Deno.stat(path);
      openNative(path)[Symbol.dispose]();
      assert.equal(await nativeLibraryPath(directory), path);
      assert.equal((await Deno.stat(path)).ino, written.ino);
      assert.deepEqual(Array.from(Deno.readDirSync(`${directory}/native`), ({ name }) => name), [
        path.slice(path.lastIndexOf("/") + 1),
      ]);
    }),
);

Deno.test(
  nativeTest("nativeLibraryPath() replaces a file that was tampered with"),
  () =>
    withDirectory(async (directory) => {
      const path = await nativeLibraryPath(directory);
      assert(path !== null);
      const good = await Deno.readFile(path);
      const bad = good.slice();
      bad[bad.length - 1] = 1 ^ (bad[bad.length - 1] ?? 0);
      await Deno.chmod(path, 0o755);
      await Deno.writeFile(path, bad);
      assert.equal(await nativeLibraryPath(directory), path);
      assert.deepEqual(await Deno.readFile(path), good);
    }),
);

Deno.test(
  nativeTest("nativeLibraryPath() replaces a symbolic link and leaves its target alone"),
  () =>
    withDirectory(async (directory) => {
      const path = await nativeLibraryPath(directory);
      assert(path !== null);
      const target = `${directory}/elsewhere`;
      await Deno.copyFile(path, target);
      await Deno.remove(path);
      await Deno.symlink(target, path);
      assert.equal(await nativeLibraryPath(directory), path);
      assert.equal((await Deno.lstat(path)).isSymlink, false);
    }),
);

Deno.test(
  nativeTest("nativeLibraryPath() refuses a directory that others may write"),
  () =>
    withDirectory(async (directory) => {
      await nativeLibraryPath(directory);
      await Deno.chmod(`${directory}/native`, 0o777);
      await assert.rejects(nativeLibraryPath(directory), (error) => {
        assert(error instanceof NativeError);
        assert.equal(error.errno, "EPERM");
        assert.match(error.message, /as only this user may write there: uid \d+, mode 777$/);
        return true;
      });
    }),
);

Deno.test(
  nativeTest("nativeLibraryPath() may run many times at once"),
  () =>
    withDirectory(async (directory) => {
      const paths = await Promise.all(Array.from({ length: 20 }, () => nativeLibraryPath(directory)));
      assert.equal(new Set(paths).size, 1);
      assert.equal(Array.from(Deno.readDirSync(`${directory}/native`)).length, 1);
    }),
);

Deno.test("embeddedLibrary() has a library for both processors and none elsewhere", async () => {
  for (const [arch, machine] of [["x86_64", 62], ["aarch64", 183]] as const) {
    const library = await embeddedLibrary("linux", arch);
    assert(library !== null);
    const bytes = Uint8Array.fromBase64(library.base64);
    assert.deepEqual([...bytes.subarray(0, 4)], [0x7f, 0x45, 0x4c, 0x46]);
    assert.equal(new DataView(bytes.buffer).getUint16(18, true), machine);
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
    assert.equal(digest, library.sha256);
  }
  assert.equal(await embeddedLibrary("linux", "riscv64"), null);
  assert.equal(await embeddedLibrary("darwin", "aarch64"), null);
});

Deno.test("openNative() says what cannot be loaded", () => {
  assert.throws(() => openNative("/nonexistent/libcordon.so"), (error) => {
    assert(error instanceof NativeError);
    assert.equal(error.call, "dlopen");
    assert.match(error.message, /^Cannot load "\/nonexistent\/libcordon\.so" as a native library: /);
    return true;
  });
});
