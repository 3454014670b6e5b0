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
  nativeTest("nativeLibraryPath() replaces a file that others may write, whatever is in it now"),
  () =>
    withDirectory(async (directory) => {
      const path = await nativeLibraryPath(directory);
      assert(path !== null);
      for (const mode of [0o575, 0o557]) {
        await Deno.chmod(path, mode);
        await nativeLibraryPath(directory);
        assert.equal((await Deno.stat(path)).mode! & 0o022, 0);
      }
    }),
);

const isRoot = Deno.uid() === 0;
const rootTest = (claim: string) => {
  const { name, ignore } = nativeTest(claim);
  return isRoot ? { name, ignore } : { name: `${claim} [skipped: needs root]`, ignore: true };
};

Deno.test(
  rootTest("nativeLibraryPath() takes no file, and no directory, of another account"),
  () =>
    withDirectory(async (directory) => {
      const path = await nativeLibraryPath(directory);
      assert(path !== null);
      await Deno.chown(path, 65534, 65534);
      await nativeLibraryPath(directory);
      assert.equal((await Deno.stat(path)).uid, 0);
      await Deno.chown(`${directory}/native`, 65534, 65534);
      await assert.rejects(nativeLibraryPath(directory), {
        name: "NativeError",
        message: /as only this user may write there: uid 65534, mode 755$/,
      });
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

/** What the processor does to return the version: a 1. */
const VERSION_CODE: Readonly<Record<string, readonly number[]>> = {
  x86_64: [0xb8, 1, 0, 0, 0, 0xc3],
  aarch64: [0x20, 0, 0x80, 0x52, 0xc0, 3, 0x5f, 0xd6],
};

Deno.test(
  nativeTest("openNative() refuses a library of another version"),
  () =>
    withDirectory(async (directory) => {
      const bytes = await Deno.readFile((await nativeLibraryPath(directory))!);
      const code = VERSION_CODE[Deno.build.arch]!;
      const places = [...bytes.keys()].filter((at) =>
        code.every((byte, index) => bytes[at + index] === byte)
      );
      assert.equal(places.length, 1);
      bytes[places[0]! + (Deno.build.arch === "x86_64" ? 1 : 0)]! += Deno.build.arch === "x86_64" ? 1 : 0x20;
      await Deno.writeFile(`${directory}/other.so`, bytes);
      assert.throws(() => openNative(`${directory}/other.so`), {
        name: "NativeError",
        errno: "ELIBBAD",
        message: /as its version must be 1: 2$/,
      });
    }),
);
