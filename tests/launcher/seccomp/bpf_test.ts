import assert from "node:assert/strict";
import { assemble, type Line } from "../../../src/launcher/seccomp/bpf.ts";
import { check, oneOf } from "../../../src/launcher/seccomp/rule.ts";
import { runFilter } from "./interpreter.ts";

const END: readonly Line[] = [{ op: "label", name: "end" }, { op: "return", value: 7 }];

function padding(count: number): Line[] {
  return Array.from({ length: count }, (): Line => ({ op: "return", value: 1 }));
}

Deno.test("assemble() writes eight little-endian bytes an instruction", () => {
  assert.deepEqual([...assemble([{ op: "return", value: 0x7fff0000 }])], [6, 0, 0, 0, 0, 0, 0xff, 0x7f]);
});

Deno.test("assemble() reaches 255 instructions with a conditional jump and refuses 256", () => {
  const jump: Line = { op: "equal", value: 0, yes: "end", no: null };
  const longest = assemble([{ op: "load", offset: 0 }, jump, ...padding(255), ...END]);
  assert.equal(runFilter(longest, { number: 0, auditArch: 0 }), 7);
  assert.throws(
    () => assemble([{ op: "load", offset: 0 }, jump, ...padding(256), ...END]),
    new RangeError('Cannot jump to label "end" as a jump goes 0 to 255 instructions forward: it is 256'),
  );
});

Deno.test("assemble() reaches further with an unconditional jump", () => {
  const program = assemble([{ op: "jump", target: "end" }, ...padding(1000), ...END]);
  assert.equal(runFilter(program, { number: 0, auditArch: 0 }), 7);
});

Deno.test("assemble() refuses labels that are missing, doubled or behind", () => {
  assert.throws(() => assemble([{ op: "jump", target: "end" }]), RangeError);
  assert.throws(() => assemble([...END, ...END]), RangeError);
  assert.throws(() => assemble([...END, { op: "jump", target: "end" }]), RangeError);
});

Deno.test("assemble() refuses programs that are empty or longer than 4096 instructions", () => {
  assert.throws(() => assemble([]), RangeError);
  assert.equal(assemble(padding(4096)).byteLength, 32768);
  assert.throws(() => assemble(padding(4097)), RangeError);
});

Deno.test("oneOf() refuses an empty list, which would let everything pass", () => {
  assert.throws(() => check("EPERM", [oneOf(0, [])]), RangeError);
});
