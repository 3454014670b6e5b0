import assert from "node:assert/strict";
import type { Remote } from "../../src/proxy/mod.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

interface Plugin {
  readonly version: string;
  add(a: number, b: number): number;
  later(): Promise<Date>;
  nothing(): void;
  either(): number | Promise<string>;
  is(): boolean;
  fail(): never;
  opaque(): ReturnType<typeof JSON.parse>;
  rows(count: number): AsyncGenerator<number, string>;
  sync(): Generator<boolean, void, unknown>;
  tail(): ReadableStream<string>;
  each(callback: (item: number) => void): Promise<void>;
  math: { pi: number; double(value: number): number };
}

type R = Remote<Plugin>;

// Each line fails to compile when the mapping changes.
const claims: readonly true[] = [
  true satisfies Same<R["version"], string>,
  true satisfies Same<R["add"], (a: number, b: number) => Promise<number>>,
  true satisfies Same<R["later"], () => Promise<Date>>,
  true satisfies Same<R["nothing"], () => Promise<void>>,
  true satisfies Same<ReturnType<R["rows"]>, AsyncIterableIterator<number, string, undefined>>,
  true satisfies Same<Parameters<R["rows"]>, [count: number]>,
  true satisfies Same<ReturnType<R["sync"]>, AsyncIterableIterator<boolean, void, undefined>>,
  true satisfies Same<R["either"], () => Promise<number | string>>,
  true satisfies Same<R["is"], () => Promise<boolean>>,
  true satisfies Same<R["fail"], () => Promise<never>>,
  true satisfies Same<R["opaque"], () => ReturnType<typeof JSON.parse> extends infer A ? Promise<A> : never>,
  true satisfies Same<R["tail"], () => Promise<ReadableStream<string>>>,
  true satisfies Same<R["each"], (callback: (item: number) => void) => Promise<void>>,
  true satisfies Same<R["math"]["double"], (value: number) => Promise<number>>,
  true satisfies Same<R["math"]["pi"], number>,
];

Deno.test("Remote makes functions asynchronous, generators iterable, and keeps constants", () => {
  assert.equal(claims.length, 15);
});
