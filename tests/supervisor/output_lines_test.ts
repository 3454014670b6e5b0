import assert from "node:assert/strict";
import { OutputLines } from "../../src/supervisor/output_lines.ts";

const encoder = new TextEncoder();

function collected(): { readonly lines: OutputLines; readonly seen: string[] } {
  const seen: string[] = [];
  return { seen, lines: new OutputLines((line, stream) => seen.push(`${stream}:${line}`)) };
}

Deno.test("OutputLines tells complete lines of each stream, whatever the chunks", () => {
  const { lines, seen } = collected();
  lines.push("stdout", encoder.encode("on"));
  lines.push("stderr", encoder.encode("other\r\n"));
  lines.push("stdout", encoder.encode("e\n\ntwo\nthr"));
  assert.deepEqual(seen, ["stderr:other", "stdout:one", "stdout:", "stdout:two"]);
  lines.end();
  lines.end();
  assert.deepEqual(seen.slice(4), ["stdout:thr"]);
});

Deno.test("OutputLines puts characters together that were cut between chunks", () => {
  const { lines, seen } = collected();
  for (const byte of encoder.encode("€🦕\n")) lines.push("stdout", Uint8Array.of(byte));
  assert.deepEqual(seen, ["stdout:€🦕"]);
});

Deno.test("OutputLines tells a line without end in parts, so that it cannot grow", () => {
  const { lines, seen } = collected();
  for (let chunk = 0; chunk < 4; chunk++) lines.push("stderr", encoder.encode("x".repeat(5_000)));
  assert.deepEqual(seen.map((line) => line.length - "stderr:".length), [8_192, 8_192]);
  lines.end();
  assert.equal(seen.join("").replaceAll("stderr:", "").length, 20_000);
  lines.push("stdout", encoder.encode(`${"y".repeat(20_000)}\n`));
  assert.ok(seen.every((line) => line.length <= 8_192 + "stderr:".length));
});
