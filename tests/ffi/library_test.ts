import assert from "node:assert/strict";
import { embeddedLibrary } from "../../src/native/mod.ts";
import { compiledLibrary, compilerVersion, SOURCES, TARGETS, WARNINGS } from "../../tools/build_ffi.ts";

const ROOT = new URL("../../", import.meta.url);

for (const target of TARGETS) {
  const embedded = await embeddedLibrary("linux", target.arch);
  const installed = await compilerVersion(target.compiler);
  const skip = embedded?.compiler === installed
    ? ""
    : ` [skipped: needs ${embedded?.compiler}, has ${installed}]`;
  Deno.test({
    name: `The embedded library for ${target.arch} is what ffi/ compiles to${skip}`,
    ignore: skip !== "",
    async fn() {
      assert(embedded !== null);
      assert.deepEqual(await compiledLibrary(target), Uint8Array.fromBase64(embedded.base64));
    },
  });

  Deno.test(`The embedded library for ${target.arch} asks for no C library younger than 2.27`, () => {
    assert(embedded !== null);
    const text = new TextDecoder("latin1").decode(Uint8Array.fromBase64(embedded.base64));
    const versions = Array.from(text.matchAll(/GLIBC_2\.(\d+)/g), ([, minor]) => Number(minor));
    assert(versions.length > 0);
    assert(Math.max(...versions) <= 27, `asks for 2.${Math.max(...versions)}`);
    assert.match(text, /libc\.so\.6/);
    assert.doesNotMatch(text, /lib(?:pthread|dl|m|rt|gcc_s)\.so/);
  });
}

const gcc = await compilerVersion("gcc");
const skip = gcc === null ? " [skipped: no gcc]" : "";
Deno.test({
  name: `ffi/ keeps its word under the address and undefined behaviour sanitizers${skip}`,
  ignore: skip !== "",
  async fn() {
    const directory = await Deno.makeTempDir({ prefix: "cordon-ffi-" });
    try {
      const program = `${directory}/cordon_test`;
      const compiled = await new Deno.Command("gcc", {
        args: [
          ...WARNINGS,
          "-g",
          "-O1",
          "-fsanitize=address,undefined",
          "-fno-sanitize-recover=all",
          "-Iffi",
          "-o",
          program,
          "tests/ffi/cordon_test.c",
          ...SOURCES.map((name) => `ffi/${name}`),
        ],
        cwd: ROOT,
      }).output();
      assert.equal(new TextDecoder().decode(compiled.stderr), "");
      const run = await new Deno.Command(program, { args: [directory] }).output();
      assert.equal(new TextDecoder().decode(run.stderr), "");
      assert.equal(new TextDecoder().decode(run.stdout), "all claims hold\n");
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  },
});
