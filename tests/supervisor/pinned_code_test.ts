import assert from "node:assert/strict";
import type { Bundle } from "../../src/bundle/types.ts";
import { PinnedCode } from "../../src/supervisor/pinned_code.ts";

Deno.test("PinnedCode.get() makes the code once for all who ask, and again only after it failed", async () => {
  const bundles = ["first", "second"].map((entry) => ({ entry }) as Bundle);
  const error = new Error("no");
  const results = [
    () => Promise.reject(error),
    () => Promise.resolve(bundles[0]!),
    () => Promise.resolve(bundles[1]!),
  ];
  let calls = 0;
  const make = () => results[calls++]!();
  const code = new PinnedCode();
  const failed = await Promise.allSettled([code.get(make), code.get(make)]);
  assert.deepEqual(failed.map((result) => result.status === "rejected" && result.reason), [error, error]);
  assert.equal(calls, 1);
  assert.deepEqual(await Promise.all([code.get(make), code.get(make)]), [bundles[0], bundles[0]]);
  assert.equal(await code.get(make), bundles[0]);
  assert.equal(calls, 2);
});
