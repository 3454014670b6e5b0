/** Headers that nobody thought of: whatever a guest sends, the host gets a value or a typed error. */

import { readHeader } from "../../src/tensor/cuda/cuda_place.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { DisposedError, LimitExceededError, ProtocolError } from "../../src/errors.ts";
import { openHostCuda } from "../../src/tensor/cuda/mod.ts";
import { Tensor } from "../../src/tensor/mod.ts";
import { nativeTest } from "../native/test_native.ts";
import { RawPeer } from "./raw_peer.ts";

const MIB = 2 ** 20;

/** Numbers around every bound that a header is checked against. */
const number = fc.oneof(
  fc.constantFrom(
    0,
    1,
    -1,
    0.5,
    NaN,
    Infinity,
    2 ** 31,
    2 ** 32,
    2 ** 53 - 1,
    2 ** 53,
    MIB,
    MIB - 1,
    64,
    63,
    4096,
  ),
  fc.integer({ min: 0, max: 20 }),
  fc.double(),
);
const scalar = fc.oneof(
  number,
  fc.constantFrom(null, undefined, true, "", "__proto__", 1n, 2n ** 64n),
  fc.integer({ min: 0, max: 300 }).map((bytes) => new ArrayBuffer(bytes)),
);
const list = (depth: number): fc.Arbitrary<unknown> =>
  depth === 0
    ? scalar
    : fc.oneof(scalar, fc.array(list(depth - 1), { maxLength: 6 }), fc.object({ maxDepth: 1 }));

/** The right form more often than chance would have it, with wrong values in it. */
const place = (grant: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    fc.tuple(fc.constant(0), scalar),
    fc.tuple(fc.constant(1), number, number),
    fc.tuple(fc.constant(2), fc.oneof(fc.constant(grant), number), number, fc.constantFrom(0, 1, 2)),
    list(2),
  );
const numbers = fc.oneof(
  fc.array(number, { maxLength: 4 }),
  fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 4 }),
  scalar,
);
/** Right in every part: most of these give a value. */
const right = fc.integer({ min: 1, max: 300 }).chain((bytes) =>
  fc.constantFrom(
    [8, [bytes], null, 0, [0, new ArrayBuffer(bytes)]],
    [8, [1, bytes], [bytes, 1], 1, [0, new ArrayBuffer(bytes)]],
    [0, bytes, [0, new ArrayBuffer(bytes)]],
    [8, [bytes], 0, 0, [0, new ArrayBuffer(bytes)]],
  )
);
const header = (grant: number): fc.Arbitrary<unknown> =>
  fc.oneof(
    right,
    fc.tuple(number, numbers, fc.oneof(fc.constant(null), numbers), fc.constantFrom(0, 1, 2), place(grant)),
    fc.tuple(number, number, place(grant)),
    fc.tuple(number, numbers, number, number, fc.oneof(place(grant), fc.tuple(scalar, number))),
    list(3),
  );

/** Read it as a session does; what was made is let go of, or undone. */
function outcome(peer: RawPeer, tag: string, payload: unknown): unknown {
  const undo: (() => void)[] = [];
  try {
    const value = peer.types.read({ tag, payload }, undo) as Partial<Disposable>;
    value[Symbol.dispose]?.();
    return null;
  } catch (error) {
    undo.forEach((step) => step());
    return error;
  }
}

for (const tag of ["tensor", "array", "cuda"]) {
  Deno.test(
    nativeTest(`any header of type "${tag}" gives a value or a typed error, and nothing is left`),
    async () => {
      await using peer = await RawPeer.start({ totalBytes: 64 * MIB });
      using cuda = openHostCuda({
        libraryPath: null,
        driver: "",
        ipc: true,
        fallback: "host-copy",
        hostTensor: (shape) =>
          Tensor.from(new Uint8Array(shape.reduce((all, size) => all * size, 1)), { shape }),
        onNotice: () => {},
      });
      cuda.connect({
        link: peer.link,
        types: peer.types,
        plugin: "hostile",
        isGranted: true,
        sharesPids: false,
      });
      const made = await peer.ask(MIB);
      const arena = await peer.askArena();
      const before = peer.host.stats();
      let values = 0;
      fc.assert(
        fc.property(header(made.id), (payload) => {
          const error = outcome(peer, tag, payload);
          if (error === null) values++;
          else {
            assert(
              error instanceof ProtocolError || error instanceof LimitExceededError ||
                error instanceof DisposedError,
              error instanceof Error ? error.stack : String(error),
            );
          }
        }),
        { numRuns: 3000 },
      );
      assert(values > 0, "some headers are right");
      const { regions, usedBytes, mapped } = peer.host.stats();
      assert.deepEqual([regions, usedBytes], [before.regions, before.usedBytes]);
      // An array that shows granted memory is let go of by the collector.
      if (tag !== "array") assert.equal(mapped, before.mapped);
      for (const { fd } of [made, arena]) if (fd >= 0) peer.native.close(fd);
    },
  );
}

const unprintable = (length: number) => [{ toString: [] }, ...Array.from({ length: length - 1 }, () => [])];

for (const tag of ["tensor", "array"]) {
  Deno.test(nativeTest(`a header of type "${tag}" that cannot be printed is a typed error`), async () => {
    await using peer = await RawPeer.start({ totalBytes: 64 * MIB });
    for (let length = 1; length <= 6; length++) {
      const error = outcome(peer, tag, unprintable(length));
      assert(error instanceof ProtocolError, `${length}: ${error}`);
    }
  });
}

Deno.test("readHeader() of a device's tensor gives a typed error for what cannot be printed", () => {
  assert.throws(() => readHeader(unprintable(5)), {
    name: "ProtocolError",
    message: /dtype object is unknown/,
  });
});
