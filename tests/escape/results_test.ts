import assert from "node:assert/strict";
import { withEscapeTables } from "./results.ts";

const DOCUMENT = new URL("../../docs/security-model.md", import.meta.url);

Deno.test("docs/security-model.md shows the reviewed results of the escape suite", async () => {
  const document = await Deno.readTextFile(DOCUMENT);
  assert.equal(
    document,
    withEscapeTables(document),
    "deno run -A tools/build_escape_table.ts writes them anew",
  );
});

Deno.test("withEscapeTables() refuses a document that has no place for them", () => {
  assert.throws(() => withEscapeTables("# Security model\n"), /markers are missing/);
});
