import assert from "node:assert/strict";
import { gpuMounts } from "../../src/policy/gpu_mounts.ts";
import { fakeFacts } from "./fakes.ts";

const LIBRARY = { name: "libcuda.so.1", source: "/usr/local/nvidia/lib64/libcuda.so.580.1" };
const FACTS = fakeFacts({ gpuDevices: ["/dev/nvidia0"], gpuLibraries: [LIBRARY] });

Deno.test("gpuMounts() shows the driver's libraries where the loader looks, to read only", () => {
  const libc = FACTS.deno?.libraries.find(({ target }) => target.endsWith("/libc.so.6"));
  assert.ok(libc !== undefined, "the fake runtime has a C library");
  const directory = libc.target.replace(/\/[^/]*$/, "");
  const mounts = gpuMounts(FACTS, "namespaces");
  assert.deepEqual(mounts.find(({ source }) => source === LIBRARY.source), {
    source: LIBRARY.source,
    target: `${directory}/libcuda.so.1`,
    mode: "read-only",
  });
  assert.deepEqual(mounts.filter(({ mode }) => mode !== "read-only"), [
    { source: "/dev/nvidia0", target: "/dev/nvidia0", mode: "device" },
  ]);
});

Deno.test("gpuMounts() never puts a library over one of the runtime", () => {
  const runtime = new Set(FACTS.deno?.libraries.map(({ target }) => target));
  assert.ok(gpuMounts(FACTS, "namespaces").every(({ target }) => !runtime.has(target)));
});

Deno.test("gpuMounts() leaves everything where it is without a mount namespace", () => {
  assert.ok(gpuMounts(FACTS, "landlock").every(({ source, target }) => source === target));
});

Deno.test("gpuMounts() gives only the devices where there is no driver library", () => {
  const mounts = gpuMounts(fakeFacts({ gpuDevices: ["/dev/nvidia0"] }), "namespaces");
  assert.deepEqual(mounts.map(({ mode }) => mode), ["device"]);
});
