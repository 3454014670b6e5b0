import assert from "node:assert/strict";
import { cuda } from "../../src/config/cuda.ts";

Deno.test("cuda() leaves sharing to the variable where nothing is said", () => {
  assert.deepEqual(cuda({}, "cuda"), { ipc: null, fallback: "host-copy" });
});

Deno.test("cuda() reads what is said, frozen", () => {
  const config = cuda({ ipc: true, fallback: "error" }, "cuda");
  assert.deepEqual(config, { ipc: true, fallback: "error" });
  assert.ok(Object.isFrozen(config));
});

Deno.test("cuda() refuses other words and keys, and names them", () => {
  assert.throws(() => cuda({ fallback: "copy" }, "cuda"), { name: "ConfigError", path: "cuda.fallback" });
  assert.throws(() => cuda({ ipcs: true }, "cuda"), { name: "ConfigError", path: "cuda.ipcs" });
});
