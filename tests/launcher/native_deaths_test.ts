/** Deaths that only native code brings about: a guest that still has FFI stands for one that found a way to it. */

import { deepEqual } from "node:assert/strict";
import type { ExitReport } from "../../src/launcher/types.ts";
import { nativeLibraryPath } from "../../src/native/mod.ts";
import { SandboxHarness } from "./sandbox_harness.ts";

const cacheDirectory = await Deno.makeTempDir({ prefix: "cordon-test-" });
const nativeLibrary = await nativeLibraryPath(cacheDirectory);
addEventListener("unload", () => Deno.removeSync(cacheDirectory, { recursive: true }));

async function death(guestScript: string): Promise<Omit<ExitReport, "stderrTail">> {
  await using harness = await SandboxHarness.open(guestScript, { nativeLibrary });
  const guest = await harness.launch();
  const { reason, exitCode, signal } = await guest.exited;
  return { reason, exitCode, signal };
}

Deno.test("a guest that reads where nothing is is reported as ended by SIGSEGV", async () => {
  const wild = `new Deno.UnsafePointerView(Deno.UnsafePointer.create(8n)).getUint8();`;
  deepEqual(await death(wild), { reason: "signal", exitCode: null, signal: "SIGSEGV" });
});

Deno.test({
  name: "a guest that makes a system call of another ABI is reported as ended by seccomp [x86_64 only]",
  ignore: Deno.build.arch !== "x86_64",
  async fn() {
    // getpid(2) of the x32 ABI: every filter of ours ends a process for it.
    const foreign = `
      const libc = Deno.dlopen("libc.so.6", { syscall: { parameters: ["i64"], result: "i64" } });
      libc.symbols.syscall(0x40000000n + 39n);
      Deno.exit(3);
    `;
    deepEqual(await death(foreign), { reason: "seccomp", exitCode: null, signal: "SIGSYS" });
  },
});

Deno.test("a guest that makes the same call of its own ABI goes on: it is the call that ends it", async () => {
  const own = `
    const libc = Deno.dlopen("libc.so.6", { getpid: { parameters: [], result: "i32" } });
    Deno.exit(libc.symbols.getpid() > 0 ? 7 : 8);
  `;
  deepEqual(await death(own), { reason: "exit-code", exitCode: 7, signal: null });
});
