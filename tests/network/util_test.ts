/** Checks the helpers that the proxy and the permission broker share. */

import assert from "node:assert/strict";
import { cleanText } from "../../src/util/clean_text.ts";
import { copyBytes } from "../../src/util/copy_bytes.ts";
import { repeatFilter } from "../../src/util/repeat_filter.ts";

Deno.test("cleanText() escapes controls, bidirectional marks and invisible characters", () => {
  assert.equal(
    cleanText("a\0\x1b[31m\u0085\u202e\u2066\u200b\u2028\ufeff\u{e0041}z"),
    "a\\u{0}\\u{1b}[31m\\u{85}\\u{202e}\\u{2066}\\u{200b}\\u{2028}\\u{feff}\\u{e0041}z",
  );
  assert.equal(cleanText("näïve 日本 🙂"), "näïve 日本 🙂");
});

Deno.test("cleanText() cuts long text and shows half a surrogate pair escaped", () => {
  assert.equal(cleanText("x".repeat(300)), `${"x".repeat(200)}…`);
  assert.equal(cleanText("ab🙂", 3), "ab\\u{d83d}…");
});

Deno.test("repeatFilter() counts keys apart until it is full, and then together", () => {
  const filter = repeatFilter(2);
  assert.deepEqual(["a", "b", "a", "c", "d", "b"].map((key) => filter.count(key)), [
    1,
    1,
    null,
    1,
    null,
    null,
  ]);
  for (let n = 0; n < 7; n++) assert.equal(filter.count("a"), null);
  assert.equal(filter.count("a"), 10);
});

Deno.test("copyBytes() copies what a source gives in any pieces, also to a sink that takes it in others", async () => {
  const pieces = [[1, 2, 3], [4], [5, 6]];
  const written: number[] = [];
  let ended = false;
  await copyBytes(
    {
      read: (into) => {
        const piece = pieces.shift();
        if (piece !== undefined) into.set(piece);
        return Promise.resolve(piece?.length ?? null);
      },
    },
    {
      write: (bytes) => {
        written.push(...bytes.subarray(0, 2));
        return Promise.resolve(Math.min(2, bytes.length));
      },
      closeWrite: () => {
        ended = true;
        return Promise.resolve();
      },
    },
  );
  assert.deepEqual([written, ended], [[1, 2, 3, 4, 5, 6], true]);
});
