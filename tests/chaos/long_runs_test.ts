/** Short forms of the long runs (`deno task test:long`): the same claims about fewer plugins, cycles and kills. */

import assert from "node:assert/strict";
import { hostKills } from "./host_kills.ts";
import { assertFlat, loadCycles } from "./load_cycles.ts";
import { manyPlugins } from "./many_plugins.ts";

// More than the runtime has threads for what blocks.
Deno.test("40 plugins at once all answer and have at most 15 MiB of their own each", async () => {
  const { privateMiB } = await manyPlugins(40);
  assert.ok(privateMiB.smallest > 2, "a runtime costs something: what was read is its memory");
  assert.ok(privateMiB.largest <= 15, `${privateMiB.largest} MiB`);
});

Deno.test("a plugin that is loaded, called and stopped 30 times leaves nothing", async () => {
  assertFlat(await loadCycles(30));
});

Deno.test("hosts that are killed 0 to 50 ms after a spawn and during 1,000 calls leave no process, and no files to the next", async () => {
  const { kills, control, directories, leaves } = await hostKills(1);
  assert.equal(kills, 10);
  assert.ok(control >= 6, "processes of a living host are seen");
  assert.deepEqual([directories, leaves], [0, 0]);
});
