/** A short run of the chaos; the long one is `tests/chaos/pool_chaos.ts` itself. */

import assert from "node:assert/strict";
import { assertFlat, poolChaos } from "./pool_chaos.ts";

Deno.test("Host.pool() settles each task exactly once while its processes are killed, stopped, spun and bombed", async () => {
  const seed = 42;
  const report = await poolChaos(1_500, seed);
  assert.ok(report.crashes > 0, "something did happen");
  assertFlat(report);
});
