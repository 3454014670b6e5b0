import assert from "node:assert/strict";
import { Journal, tally } from "./host.ts";

Deno.test("tally() counts words in a sandbox and notes it in the host's journal", async () => {
  const journal = new Journal();
  assert.deepEqual(await tally("a rose is a rose is a rose", journal), [["a", 3], ["rose", 3], ["is", 2]]);
  assert.deepEqual(journal.lines, ["counted 8 words"]);
});
