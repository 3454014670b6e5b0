import assert from "node:assert/strict";
import type { Service } from "../../src/guest/mod.ts";
import type { Callback, Handle, handle, Remote, RemoteHandle } from "../../src/proxy/mod.ts";

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

interface Module {
  default: () => number;
  anything: ReturnType<typeof JSON.parse>;
  Page: new (name: string) => { title(): string };
  Base: abstract new () => object;
  list: readonly string[];
  at: Date;
  bytes: Uint8Array;
  known: Map<string, number>;
  colours: { readonly red: 1 };
  none: null;
}

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

interface Page {
  readonly width: number;
  title(): string;
  lines(): AsyncGenerator<string, void>;
}

interface Browser {
  open(): Handle<Page>;
  find(name: string): Promise<Handle<Page> | null>;
  all(): AsyncGenerator<Handle<Page>>;
  counter(): (step: number) => number;
  tell(each: Callback<(line: string) => void>): void;
  watch(page: RemoteHandle<Page>, each: Callback<(line: string) => boolean>): void;
}

type B = Remote<Browser>;

const references: readonly true[] = [
  true satisfies Same<ReturnType<typeof handle<Page>>, Handle<Page>>,
  true satisfies Same<Awaited<ReturnType<B["open"]>>, RemoteHandle<Page>>,
  true satisfies Same<RemoteHandle<Page>["title"], () => Promise<string>>,
  true satisfies Same<
    ReturnType<RemoteHandle<Page>["lines"]>,
    AsyncIterableIterator<string, void, undefined>
  >,
  true satisfies Same<"width" extends keyof RemoteHandle<Page> ? true : false, false>,
  true satisfies Same<Awaited<ReturnType<B["find"]>>, RemoteHandle<Page> | null>,
  true satisfies Same<ReturnType<B["all"]> extends AsyncIterable<infer P> ? P : never, RemoteHandle<Page>>,
  true satisfies Same<Awaited<ReturnType<B["counter"]>>, Callback<(step: number) => number>>,
  // What the other side gets as a reference may be anything of ours that becomes one.
  true satisfies (Handle<Page> extends Parameters<B["watch"]>[0] ? true : false),
  true satisfies (RemoteHandle<Page> extends Parameters<B["watch"]>[0] ? true : false),
  true satisfies (((line: string) => boolean) extends Parameters<B["watch"]>[1] ? true : false),
  true satisfies (((line: string) => Promise<boolean>) extends Parameters<B["watch"]>[1] ? true : false),
  true satisfies (((line: string) => number) extends Parameters<B["tell"]>[0] ? true : false),
  true satisfies Same<((line: number) => boolean) extends Parameters<B["watch"]>[1] ? true : false, false>,
];

/** What is undefined when it runs is not there for TypeScript either. */
const exported: readonly true[] = [
  true satisfies Same<keyof Remote<Module>, "default" | "anything" | "colours" | "none">,
];

/** Services have methods only, and otherwise the types of modules. */
const services: readonly true[] = [
  true satisfies Same<Service<Plugin>["add"], R["add"]>,
  true satisfies Same<Service<Plugin>["rows"], R["rows"]>,
  true satisfies Same<Service<Plugin>["sync"], R["sync"]>,
  true satisfies Same<Service<Plugin>["tail"], R["tail"]>,
  true satisfies Same<Service<Plugin>["fail"], R["fail"]>,
  true satisfies Same<Service<Browser>["find"], B["find"]>,
  true satisfies Same<"version" extends keyof Service<Plugin> ? true : false, false>,
];

Deno.test("RemoteHandle, Callback and Service have the types of what is called", () => {
  assert.equal(references.length + services.length + exported.length, 22);
});

Deno.test("Remote makes functions asynchronous, generators iterable, and keeps constants", () => {
  assert.equal(claims.length, 15);
});
