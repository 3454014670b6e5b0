/** What was compiled for aarch64, run under an emulator. */

import assert from "node:assert/strict";
import { AARCH64_RUNTIME } from "../../tools/aarch64_runtime.ts";
import { SOURCES } from "../../tools/build_ffi.ts";
import { compilerVersion, WARNINGS } from "../../tools/compile_c.ts";
import { STAND_IN_SOURCES } from "../gpu/stand_in.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const COMPILER = "aarch64-linux-gnu-gcc";
const EMULATOR = "qemu-aarch64-static";
/** Where Debian's cross compiler keeps the C library that emulated programs load. */
const SYSROOT = "/usr/aarch64-linux-gnu";

const hasEmulator = await compilerVersion(EMULATOR) !== null;
const missing = [
  [hasEmulator, `no ${EMULATOR} (apt install qemu-user-static)`],
  [await compilerVersion(COMPILER) !== null, `no ${COMPILER}`],
].flatMap(([isThere, reason]) => isThere === true ? [] : [String(reason)]);
const noRuntime = await isFile(AARCH64_RUNTIME) ? [] : ["no runtime: deno run -A tools/aarch64_runtime.ts"];

for (
  const [about, source] of [["memory and messages", "cordon_test"], ["files and processes", "process_test"]]
) {
  emulatedTest(`ffi/ keeps its word on aarch64 about ${about}`, missing, async (directory) => {
    const program = `${directory}/${source}`;
    const sources = [`tests/ffi/${source}.c`, ...SOURCES.map((name) => `ffi/${name}`)];
    const args = [...WARNINGS, "-O1", "-DIS_EMULATED=1", "-Iffi", "-o", program, ...sources, "-ldl"];
    assert.deepEqual(await run(COMPILER, args), { stdout: "", stderr: "" });
    const { stdout } = await run(EMULATOR, ["-L", SYSROOT, program, directory]);
    assert.equal(stdout, "all claims hold\n");
  });
}

emulatedTest(
  "ffi/ keeps its word on aarch64 about a graphics driver, a stand-in",
  missing,
  async (directory) => {
    const driver = `${directory}/libcuda.so.1`;
    await run(COMPILER, ["-std=c11", "-O1", "-fPIC", "-shared", "-o", driver, ...STAND_IN_SOURCES]);
    const program = `${directory}/cuda_test`;
    const sources = ["tests/ffi/cuda_test.c", ...SOURCES.map((name) => `ffi/${name}`)];
    assert.deepEqual(await run(COMPILER, [...WARNINGS, "-O1", "-Iffi", "-o", program, ...sources, "-ldl"]), {
      stdout: "",
      stderr: "",
    });
    const { stdout } = await run(EMULATOR, ["-L", SYSROOT, program, driver, `${SYSROOT}/lib/libm.so.6`]);
    assert.equal(stdout, "all claims hold\n");
  },
);

emulatedTest(
  "the library for aarch64 maps, seals, passes descriptors and carries tensors in the runtime for aarch64",
  [...missing, ...noRuntime],
  async (directory) => {
    const fixture = "tests/fixtures/native/other_processor.ts";
    // The cache of another processor's runtime is its own; packages come from the one that is there.
    const { stdout } = await run(EMULATOR, [
      ...["-E", `DENO_DIR=${directory}`, "-E", "NO_COLOR=1", "-L", SYSROOT, AARCH64_RUNTIME],
      ...["run", "-A", "--no-prompt", "--no-check", "--no-lock", fixture],
    ]);
    const [first = "", ...claims] = stdout.trim().split("\n");
    assert.match(first, /^aarch64 libcordon-[0-9a-f]{16}\.so$/);
    assert.deepEqual(claims, [
      "a window of 64 GiB shows memory that is mapped later",
      "sizes are sealed, and writing can be",
      "descriptors cross a socket",
      "tensors and arrays cross both ways",
      "symbols that were loaded work without the permission for FFI",
    ]);
  },
);

function emulatedTest(
  claim: string,
  missing: readonly string[],
  body: (directory: string) => Promise<void>,
): void {
  const skip = missing.length === 0 ? "" : ` [skipped: ${missing.join("; ")}]`;
  Deno.test({
    name: claim + skip,
    ignore: skip !== "",
    async fn() {
      const directory = await Deno.makeTempDir({ prefix: "cordon-aarch64-" });
      try {
        await body(directory);
      } finally {
        await Deno.remove(directory, { recursive: true });
      }
    },
  });
}

async function run(program: string, args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
  const output = await new Deno.Command(program, { args: [...args], cwd: ROOT }).output();
  const [stdout, stderr] = [output.stdout, output.stderr].map((bytes) => new TextDecoder().decode(bytes)) as [
    string,
    string,
  ];
  assert.equal(output.code, 0, stdout + stderr);
  return { stdout, stderr };
}

async function isFile(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
