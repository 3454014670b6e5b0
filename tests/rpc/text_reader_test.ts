import assert from "node:assert/strict";
import { TextReader } from "../../src/rpc/text_reader.ts";

const encoder = new TextEncoder();

/** Where the text lies should not matter: bytes that are no text are around it. */
function placed(bytes: Uint8Array): Uint8Array {
  const memory = new Uint8Array(bytes.length + 20).fill(0xff);
  memory.set(bytes, 10);
  return memory;
}

function read(bytes: Uint8Array): string | undefined {
  return new TextReader().text(placed(bytes), 10, bytes.length);
}

Deno.test("TextReader.text() gives ASCII of every length back", () => {
  for (let length = 0; length <= 80; length++) {
    const text = Array.from({ length }, (_, index) => String.fromCharCode((index * 7 + length) % 128)).join(
      "",
    );
    assert.equal(read(encoder.encode(text)), text);
  }
});

Deno.test("TextReader.text() sees what is not ASCII, at every place of every length", () => {
  for (let length = 1; length <= 40; length++) {
    for (let at = 0; at < length; at++) {
      const text = "x".repeat(at) + "é" + "y".repeat(length - at - 1);
      assert.equal(read(encoder.encode(text)), text);
      const broken = encoder.encode("x".repeat(length));
      broken[at] = 0x80;
      assert.equal(read(broken), undefined, `0x80 at ${at} of ${length}`);
    }
  }
});

Deno.test("TextReader.key() makes a key once, and tells those apart that share a place", () => {
  const reader = new TextReader();
  const keys = Array.from({ length: 5000 }, (_, index) => `key${index}`);
  for (let round = 0; round < 2; round++) {
    for (const key of keys) {
      const bytes = encoder.encode(key);
      assert.equal(reader.key(placed(bytes), 10, bytes.length), key);
    }
  }
  assert.equal(reader.key(placed(new Uint8Array([0x80])), 10, 1), undefined);
});
