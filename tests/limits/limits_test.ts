/** Every limit, passed on purpose by a real plugin while a sibling goes on. */

import assert from "node:assert/strict";
import { nativeChildren } from "../chaos/native_children.ts";
import { readProc } from "../launcher/processes.ts";
import { testHost } from "../testing/fixtures.ts";
import { assertStopped, attack, type Greedy } from "./attack.ts";

/** The runtime gave up for want of memory, or was stopped for using too much. */
const EXHAUSTED = ["out-of-memory", "memory-limit"];
const GREEDY = new URL("fixtures/greedy.ts", import.meta.url);

Deno.test("limits.memory stops a plugin that fills its heap", async () => {
  assertStopped(await attack({ memory: "64MiB" }, (api) => api.heap()), ...EXHAUSTED);
});

Deno.test("limits.memory refuses a plugin that makes array buffers without end, or stops it", async () => {
  const result = await attack({ memory: "64MiB" }, (api) => api.arrayBuffers());
  if (result.state !== "running") return assertStopped(result, ...EXHAUSTED);
  assert.match(String(result.error), /RangeError: Array buffer allocation failed/);
});

Deno.test("limits.memory refuses a plugin that grows a wasm memory without end, or stops it", async () => {
  const result = await attack({ memory: "64MiB" }, (api) => api.wasmMemory());
  if (result.state !== "running") return assertStopped(result, ...EXHAUSTED);
  assert.match(
    String(result.error),
    /RangeError: WebAssembly\.Memory\.grow\(\): Unable to grow instance memory/,
  );
});

Deno.test("limits.memory and the others are the plugin's own upper bounds: it cannot raise them", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Greedy>(GREEDY, { limits: { memory: "64MiB", cpuSeconds: 60 } });
  const { status } = plugin;
  assert.ok(status.state === "running");
  // Below the guard and bubblewrap.
  let { pid } = status;
  for (let below = nativeChildren(pid); below.length > 0; below = nativeChildren(pid)) pid = below[0]!;
  const bounds = readProc(pid, "limits")!;
  const names = { cpuSeconds: "cpu time", openFiles: "open files", memory: "data size" } as const;
  for (const [limit, name] of Object.entries(names)) {
    if (status.enforcement[limit as keyof typeof names].mechanism !== "rlimit") continue;
    const [, soft, hard] = new RegExp(`^Max ${name} +(\\S+) +(\\S+)`, "m").exec(bounds) ?? [];
    assert.match(soft!, /^\d+$/, name);
    assert.equal(hard, soft, name);
  }
});

Deno.test("limits.memory raises no false alarm in 1,000 calls that use nine tenths of it", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Greedy>(GREEDY, { limits: { memory: "128MiB" } });
  for (let call = 0; call < 1000; call++) assert.equal(await plugin.api.hold(115), (2 + call) % 256);
  assert.equal(plugin.status.state, "running");
});

Deno.test("limits.tmp is the size of a plugin's scratch space", async () => {
  const limits = { tmp: "16MiB", fileSize: "64MiB" };
  const { value, state } = await attack(limits, (api) => api.fillTmp());
  assert.match(value!.error, /No space left on device/);
  assert.equal(value!.mebibytes, 16);
  assert.equal(state, "running");
});

Deno.test("limits.tmp stops a plugin that makes files without end", async () => {
  assertStopped(await attack({ tmp: "1MiB" }, (api) => api.inodes()), "memory-limit");
});

Deno.test("limits.fileSize refuses what makes a file too large and leaves the plugin alive", async () => {
  const { value, state } = await attack({ tmp: "16MiB", fileSize: "4MiB" }, (api) => api.fillTmp());
  assert.match(value!.error, /File too large/);
  assert.equal(value!.mebibytes, 4);
  assert.equal(state, "running");
});

Deno.test("limits.openFiles refuses a plugin more descriptors and leaves it alive", async () => {
  const { value, state } = await attack({ openFiles: 64, tmp: "1MiB" }, (api) => api.descriptors());
  assert.match(value!.error, /Too many open files/);
  assert.ok(value!.count > 8 && value!.count < 64, `${value!.count} files`);
  assert.equal(state, "running");
});

Deno.test("limits.processes refuses a plugin more threads, or ends it when the runtime itself needs one", async () => {
  // Each worker reserves address space that counts as memory where there is no control group.
  const result = await attack({ processes: 32, memory: "32GiB" }, (api) => api.threads());
  if (result.state !== "running") return assertStopped(result, "exit-code", "signal", "out-of-memory");
  assert.match(String(result.error), /Resource temporarily unavailable/);
});

Deno.test("a plugin starts no process at all", async () => {
  const { value } = await attack({}, (api) => Promise.resolve(api.run()));
  assert.equal(value, "NotCapable");
});

Deno.test("limits.cpuSeconds stops a plugin that spins", async () => {
  assertStopped(await attack({ cpuSeconds: 1 }, (api) => api.spin()), "cpu-limit");
});

Deno.test("limits.wallMs stops a plugin that spins", async () => {
  assertStopped(await attack({ wallMs: 300 }, (api) => api.spin()), "wall-timeout");
});

Deno.test("limits.output stops a plugin that prints 100 MB", async () => {
  assertStopped(await attack({ output: "4MiB" }, (api) => api.print(100)), "output-limit");
});
