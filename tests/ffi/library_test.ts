import assert from "node:assert/strict";
import { embeddedLibrary } from "../../src/native/mod.ts";
import { compiledLibrary, SOURCES } from "../../tools/build_ffi.ts";
import { compilerVersion, TARGETS, WARNINGS } from "../../tools/compile_c.ts";
import { standIn } from "../gpu/stand_in.ts";

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
const SANITIZERS = ["-g", "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all"];

sanitized("ffi/ keeps its word about memory and messages", "cordon_test.c", () => Promise.resolve([]));
sanitized(
  "ffi/ keeps its word about files and processes",
  "process_test.c",
  (place) => Promise.resolve([place]),
);
sanitized("ffi/ keeps its word about a graphics driver, a stand-in,", "cuda_test.c", async () => {
  const { stdout } = await new Deno.Command("gcc", { args: ["-print-file-name=libm.so.6"] }).output();
  return [await standIn(), new TextDecoder().decode(stdout).trim()];
});

/** A test in C, with what it is started with. */
function sanitized(
  claim: string,
  source: string,
  argumentsIn: (directory: string) => Promise<readonly string[]>,
): void {
  Deno.test({
    name: `${claim} under the address and undefined behaviour sanitizers${skip}`,
    ignore: skip !== "",
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "cordon-ffi-" });
      try {
        const program = `${directory}/test`;
        const sources = [`tests/ffi/${source}`, ...SOURCES.map((name) => `ffi/${name}`)];
        const args = [...WARNINGS, ...SANITIZERS, "-Iffi", "-o", program, ...sources];
        const compiled = await new Deno.Command("gcc", { args, cwd: ROOT }).output();
        assert.equal(new TextDecoder().decode(compiled.stderr), "");
        const run = await new Deno.Command(program, { args: [...await argumentsIn(directory)] }).output();
        assert.equal(new TextDecoder().decode(run.stderr), "");
        assert.equal(new TextDecoder().decode(run.stdout), "all claims hold\n");
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}
