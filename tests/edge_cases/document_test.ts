/** docs/edge-cases.md names a test for each of its claims. */

import assert from "node:assert/strict";
import { walkTypeScript } from "../testing/files.ts";

Deno.test("docs/edge-cases.md has a test below each entry, and each exists", async () => {
  const text = await Deno.readTextFile("docs/edge-cases.md");
  const entries = text.split("\n\n").filter((paragraph) => paragraph.startsWith("**"));
  assert.ok(entries.length > 40, `${entries.length} entries`);
  const sources: string[] = [];
  for await (const path of walkTypeScript("tests")) sources.push(await Deno.readTextFile(path));
  const all = sources.join("\n");
  for (const entry of entries) {
    const names = [...entry.matchAll(/\\\n`([^`]+)`/g)].map(([, name]) => name!);
    assert.ok(names.length > 0, `no test is named below: ${entry}`);
    for (const name of names) assert.ok(all.includes(`"${name}"`), `there is no test "${name}"`);
  }
});
