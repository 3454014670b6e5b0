/** The guest that ships is the guest of the source. */

import assert from "node:assert/strict";
import { guestCudaModule, guestModule } from "../../tools/build_guest.ts";

Deno.test("the embedded guest is what its source bundles to: else run `deno task build`", async () => {
  const embedded = new URL("../../src/supervisor/embedded/guest.ts", import.meta.url);
  assert.ok(await Deno.readTextFile(embedded) === await guestModule());
});

Deno.test("the embedded script for guests with a GPU is what its source bundles to: else run `deno task build`", async () => {
  const embedded = new URL("../../src/supervisor/embedded/guest_cuda.ts", import.meta.url);
  assert.ok(await Deno.readTextFile(embedded) === await guestCudaModule());
});
