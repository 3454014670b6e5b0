import { equal } from "node:assert/strict";
import fc from "fast-check";
import { OutputTail } from "../../src/launcher/output_tail.ts";

Deno.test("OutputTail.text() is the end of everything that was pushed", () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[ -~]{0,30}$/)),
      fc.integer({ min: 1, max: 40 }),
      (chunks, size) => {
        const tail = new OutputTail(size);
        for (const chunk of chunks) tail.push(new TextEncoder().encode(chunk));
        equal(tail.text(), chunks.join("").slice(-size));
      },
    ),
  );
});

Deno.test("OutputTail.text() leaves out half a character at its start", () => {
  const tail = new OutputTail(4);
  tail.push(new TextEncoder().encode("aéé"));
  equal(tail.text(), "éé");
  tail.push(new TextEncoder().encode("b"));
  equal(tail.text(), "éb");
});
