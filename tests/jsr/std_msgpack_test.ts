/** The standard library's MessagePack as an independent peer of the wire: it knows nothing of ours but PROTOCOL.md. */

import assert from "node:assert/strict";
import { RpcSession } from "../../src/rpc/mod.ts";
import { memoryTransportPair } from "../../src/transport/mod.ts";
import { REPOSITORY, runDeno } from "../examples/run.ts";

/** What both implementations have in common. */
interface Codec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

const [HELLO, WELCOME, CALL, RESULT] = [1, 2, 5, 6];

/** Computed, as nothing of JSR may be resolved where it cannot be reached. */
const STANDARD = ["jsr:@std", "msgpack@1"].join("/");
const { code } = await runDeno(["cache", "--no-lock", "--no-config", STANDARD], REPOSITORY);
const skipped = code === 0 ? "" : " [skipped: JSR cannot be reached]";

const CODECS = [
  { name: "@msgpack/msgpack", specifier: "npm:@msgpack/msgpack@3.1.3", skipped: "" },
  { name: "@std/msgpack", specifier: STANDARD, skipped },
];

/** Values that MessagePack itself has; the standard library knows no extensions. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  127,
  -32_769,
  2 ** 31,
  -0.5,
  1e300,
  "",
  "ключ 🔑",
  "x".repeat(70_000),
  new Uint8Array([0, 255, 128]),
  [],
  [[1], ["a", [null]]],
  { a: 1, "b c": { d: [true] } },
  Array.from({ length: 100 }, (_, id) => ({ id, name: `row ${id}` })),
];

for (const { name, specifier, skipped } of CODECS) {
  Deno.test({
    name: `a peer that speaks PROTOCOL.md with ${name} is understood and understands${skipped}`,
    ignore: skipped !== "",
    async fn() {
      const codec: Codec = await import(specifier);
      const [left, wire] = memoryTransportPair();
      await using session = new RpcSession(left, { role: "host", token: "secret", name: "standard" });
      const greeted = Promise.withResolvers<unknown[]>();
      wire.start({
        onFrame(frame) {
          const message = codec.decode(frame.slice()) as unknown[];
          if (message[0] === WELCOME) greeted.resolve(message);
          if (message[0] !== CALL) return;
          const [, id, , target, method, args] = message;
          assert.deepEqual([target, method], ["plugin", "echo"]);
          wire.send(codec.encode([RESULT, id, (args as unknown[])[0]]));
        },
        onClosed() {},
      });
      const started = session.start();
      wire.send(codec.encode([HELLO, 1, "secret", { language: "standard" }, {}]));
      assert.deepEqual((await started).runtime, { language: "standard" });
      assert.equal((await greeted.promise)[1], 1);
      for (const value of VALUES) assert.deepEqual(await session.call("plugin", "echo", [value]), value);
      wire.close();
    },
  });
}
