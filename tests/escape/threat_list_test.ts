import assert from "node:assert/strict";
import { NATIVE_TECHNIQUES } from "./native_techniques.ts";
import { SCRIPT_TECHNIQUES } from "./script_techniques.ts";
import { techniquesOf, THREATS } from "./threat_list.ts";

const TESTS = new URL("../", import.meta.url);

Deno.test("every number of the threat list from 1 to 95 is tried somewhere", () => {
  assert.deepEqual(THREATS.map(({ number }) => number), Array.from({ length: 95 }, (_, index) => index + 1));
  const untried = THREATS.filter(({ number, proofs }) => {
    const { native, script } = techniquesOf(number);
    return native + script + proofs.length === 0;
  });
  assert.deepEqual(untried, []);
  const numbers = new Set(THREATS.map(({ number }) => `${number}`));
  const foreign = [...NATIVE_TECHNIQUES, ...SCRIPT_TECHNIQUES].filter(({ name }) =>
    !numbers.has(name.split(" ")[0]!)
  );
  assert.deepEqual(foreign, []);
});

Deno.test("every test that the threat list names is there", async () => {
  const missing: string[] = [];
  for (const [file, words] of THREATS.flatMap(({ proofs }) => proofs)) {
    const text = await Deno.readTextFile(new URL(file, TESTS));
    if (!text.includes(words)) missing.push(`${file}: ${words}`);
  }
  assert.deepEqual(missing, []);
});
