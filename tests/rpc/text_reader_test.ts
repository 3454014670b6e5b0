import assert from "node:assert/strict";
import { TextReader } from "../../src/rpc/text_reader.ts";

const encoder = new TextEncoder();

/** Where the text lies should not matter: bytes that are no text are around it, or more text. */
function placed(bytes: Uint8Array, around = 0xff): Uint8Array {
  const memory = new Uint8Array(bytes.length + 20).fill(around);
  memory.set(bytes, 10);
  return memory;
}

function read(bytes: Uint8Array, around?: number): string | undefined {
  return new TextReader().text(placed(bytes, around), 10, bytes.length);
}

Deno.test("TextReader.text() gives ASCII of every length back", () => {
  for (let length = 0; length <= 80; length++) {
    const text = Array.from({ length }, (_, index) => String.fromCharCode((index * 7 + length) % 128)).join(
      "",
    );
    assert.equal(read(encoder.encode(text)), text);
    assert.equal(read(encoder.encode(text), 0x61), text, `${length} bytes amid text`);
  }
});

Deno.test("TextReader.text() keeps a mark of the byte order, which is a character like others", () => {
  assert.equal(read(encoder.encode("\ufeffa")), "\ufeffa");
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

Deno.test("TextReader.key() tells keys apart that share a place, in memory that is used again", () => {
  const reader = new TextReader();
  const memory = placed(new Uint8Array(10));
  for (let round = 0; round < 2; round++) {
    for (let index = 0; index < 5000; index++) {
      const key = `key${index}`;
      const { written } = encoder.encodeInto(key, memory.subarray(10));
      assert.equal(reader.key(memory, 10, written), key);
    }
  }
  assert.equal(reader.key(placed(new Uint8Array([0x80])), 10, 1), undefined);
});

Deno.test("TextReader.key() remembers keys of up to 32 bytes, so that a peer cannot fill this memory", () => {
  const reader = new TextReader();
  for (const [length, copies] of [[1, [1, 0]], [32, [1, 0]], [33, [0, 0]], [10_000, [0, 0]]] as const) {
    const memory = placed(encoder.encode("k".repeat(length)));
    assert.deepEqual(copies.map(() => copiesFor(reader, memory, length)), copies, `a key of ${length} bytes`);
  }
  const memories = Array.from({ length: 100 }, (_, index) => placed(encoder.encode(`column${index}`)));
  const [first, second] = [0, 1].map(() =>
    memories.reduce((copies, memory) => copies + copiesFor(reader, memory, memory.length - 20), 0)
  );
  assert.equal(first, 100);
  assert.ok(second! < 50, `${second} of 100 keys displaced each other`);
});

/** How often a key is copied when it is read. */
function copiesFor(reader: TextReader, memory: Uint8Array, length: number): number {
  let copies = 0;
  memory.slice = (...range) => {
    copies++;
    return Uint8Array.prototype.slice.apply(memory, range);
  };
  const text = String.fromCharCode(...memory.subarray(10, 10 + length));
  assert.equal(reader.key(memory, 10, length), text);
  return copies;
}
