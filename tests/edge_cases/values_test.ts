/** Values that change on the way elsewhere. */

import assert from "node:assert/strict";
import { SerializationError } from "../../src/errors.ts";
import { testHost } from "../testing/fixtures.ts";

const ECHO = `export const echo = (value: unknown) => value;
  export const describe = (value: any) => Object.prototype.toString.call(value);`;

interface Echo {
  echo(value: unknown): unknown;
  describe(value: unknown): string;
}

Deno.test("values come back as they went", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<Echo>(await test.plugin(ECHO));
  const values: readonly unknown[] = [
    undefined,
    null,
    -0,
    NaN,
    -Infinity,
    2n ** 70n,
    -(2n ** 64n),
    2 ** 53 + 2,
    "zürich \u{1F9C0} \ud800",
    new Date(0),
    new Date(NaN),
    /a+b/giu,
    new URL("https://example.com/a?b#c"),
    new Map<unknown, unknown>([[1, "one"], ["1", "text"], [{ k: 1 }, new Set([1, "1"])]]),
    { 1: "integer keys are text in every object", nested: { nothing: undefined } },
    [[1, 2], [3, [4]]],
    Float32Array.of(1.5, NaN),
    BigInt64Array.of(-1n),
    new Uint8Array(100_000).fill(7),
    new ArrayBuffer(3),
  ];
  for (const value of values) assert.deepStrictEqual(await plugin.api.echo(value), value);
  const sparse = [1, , 3]; // deno-lint-ignore-line no-sparse-arrays
  assert.deepStrictEqual(await plugin.api.echo(sparse), sparse);
  assert.equal(await plugin.api.describe(new Date()), "[object Date]");
});

Deno.test("a value that would lose its meaning is refused with its place and what to do", async () => {
  class Model {
    readonly size = 1;
  }
  const cycle: { self?: unknown } = {};
  cycle.self = cycle;
  await using test = await testHost();
  await using plugin = await test.host.load<Echo>(await test.plugin(ECHO));
  const refused: readonly [unknown, RegExp][] = [
    [{ deep: [new Model()] }, /deep\[0\]$/],
    [{ a: cycle }, /a\.self$/],
    [{ key: Symbol("s") }, /key$/],
    [{ when: Promise.resolve(1) }, /when$/],
    [{ weak: new WeakRef({}) }, /weak$/],
  ];
  for (const [value, path] of refused) {
    await assert.rejects(async () => await plugin.api.echo(value), (error: unknown) => {
      assert.ok(error instanceof SerializationError, String(error));
      assert.match(error.path, path);
      return true;
    });
  }
  assert.equal(await plugin.api.echo("and goes on"), "and goes on");
});

Deno.test("a type that is registered late is known to plugins that are loaded afterwards", async () => {
  class Money {
    constructor(readonly cents: number) {}
  }
  await using test = await testHost();
  const path = await test.plugin(ECHO);
  await using before = await test.host.load<Echo>(path);
  await assert.rejects(async () => await before.api.echo(new Money(1)), SerializationError);
  const calls: string[] = [];
  test.host.types.register<Money>("money", {
    test: (value): value is Money => value instanceof Money,
    encode: ({ cents }) => (calls.push("encode"), cents),
    decode: (payload) => new Money(Number(payload)),
  });
  await using after = await test.host.load<Echo>(path);
  // The plugin does not know the tag, so that its end of the call fails, and nothing of it is guessed.
  await assert.rejects(async () => await after.api.echo(new Money(1)), /money/);
  assert.deepEqual(calls, ["encode"]);
});

Deno.test("nothing that a peer sends pollutes prototypes or acts as a promise", async () => {
  await using test = await testHost();
  await using plugin = await test.host.load<{ forge(): unknown; thenable(): unknown }>(
    await test.plugin(`
    export const forge = () => JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}');
    export const thenable = () => ({ inner: { then: (done: (v: number) => void) => done(1) } });
  `),
  );
  const [forged] = await Promise.allSettled([plugin.api.forge()]);
  assert.equal(({} as Record<string, unknown>).polluted, undefined);
  if (forged.status === "fulfilled") {
    assert.equal(Object.getPrototypeOf(forged.value), Object.prototype);
    assert.equal((forged.value as Record<string, unknown>).polluted, undefined);
  }
  await assert.rejects(async () => await plugin.api.thenable(), SerializationError);
});
