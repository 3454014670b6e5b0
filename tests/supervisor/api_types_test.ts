/** What the compiler says of calls to a plugin. The file is type-checked: an expected error that is missing is an error. */

import assert from "node:assert/strict";
import type * as hello from "../../examples/hello.ts";
import type { Service } from "../../src/guest/mod.ts";
import type { Plugin, Remote } from "../../mod.ts";

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false;

interface Mixed {
  sync(a: number, b?: string): string;
  later(): Promise<boolean>;
  rows(): AsyncGenerator<number>;
  readonly version: number;
  readonly nested: { deep(flag: boolean): Uint8Array };
}

Deno.test("Plugin.api has the module's functions, each asynchronous, and its generators as async iterators", () => {
  type Api = Plugin<typeof hello>["api"];
  const greet: Equal<ReturnType<Api["greet"]>, Promise<string>> = true;
  const parameters: Equal<Parameters<Api["greet"]>, [name: string]> = true;
  const later: Equal<ReturnType<Remote<Mixed>["later"]>, Promise<boolean>> = true;
  const rows: Equal<ReturnType<Remote<Mixed>["rows"]> extends AsyncIterable<infer Y> ? Y : never, number> =
    true;
  const version: Equal<Remote<Mixed>["version"], number> = true;
  const deep: Equal<ReturnType<Remote<Mixed>["nested"]["deep"]>, Promise<Uint8Array>> = true;
  assert.deepEqual([greet, parameters, later, rows, version, deep], Array(6).fill(true));
});

Deno.test("a wrong argument, a missing one and an export that is not there are compile errors", () => {
  const never = (): boolean => false;
  const api = {} as Plugin<typeof hello>["api"];
  if (never()) {
    // @ts-expect-error a number is not a name
    api.greet(1);
    // @ts-expect-error the name is missing
    api.greet();
    // @ts-expect-error there is no such export
    api.gret("you");
    // @ts-expect-error the result is a promise
    api.greet("you").toUpperCase();
  }
  assert.equal(never(), false);
});

Deno.test("Service<T> makes every method asynchronous and leaves out what is no method", () => {
  type Notes = Service<{ find(word: string): string[]; readonly size: number }>;
  const find: Equal<ReturnType<Notes["find"]>, Promise<string[]>> = true;
  const size: Equal<"size" extends keyof Notes ? true : false, false> = true;
  assert.deepEqual([find, size], [true, true]);
});
