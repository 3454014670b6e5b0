/**
 * How the other side's modules, objects and functions look to TypeScript, and where they get their calls answered.
 *
 * @module
 */

import type { CallOptions, ExportDescription } from "../rpc/mod.ts";

/** Exists for TypeScript only: key under which a type remembers what crosses by reference. */
export declare const REFERENCE: unique symbol;

/** An object that `handle()` marked. Here it is the object itself, on the other side a {@linkcode RemoteHandle}. */
export type Handle<T extends object> = T & { readonly [REFERENCE]?: T };

/**
 * An object of the other side that `handle()` marked there: its methods are asynchronous, its generators async iterators.
 * Disposing it gives it back.
 */
export type RemoteHandle<T extends object> =
  & RemoteMethods<T>
  & Disposable
  & AsyncDisposable
  & { readonly [REFERENCE]?: T };

/** A function of the other side: what it returns comes as a promise. Disposing it gives it back. */
// deno-lint-ignore no-explicit-any
export type Callback<F extends (...args: any[]) => unknown> =
  & ((...args: Parameters<F>) => Promise<RemoteValue<Awaited<ReturnType<F>>>>)
  & Disposable
  & { readonly [REFERENCE]?: F };

/** What a value that the other side returns looks like here. `any` stays what it is. */
export type RemoteValue<V> = 0 extends 1 & V ? V
  : V extends object ? typeof REFERENCE extends keyof V ? RemoteReference<NonNullable<V[typeof REFERENCE]>>
      // deno-lint-ignore no-explicit-any
    : V extends (...args: any[]) => unknown ? Callback<V>
    : V
  : V;

/** What something that crosses by reference looks like on the other side. */
export type RemoteReference<T> =
  // deno-lint-ignore no-explicit-any
  T extends (...args: any[]) => unknown ? Callback<T> : T extends object ? RemoteHandle<T> : never;

/** What may be passed where the other side declares a parameter: where it gets a reference, something of ours. */
export type RemoteArgument<V> = 0 extends 1 & V ? V
  : V extends object ? typeof REFERENCE extends keyof V ? V | OwnReference<NonNullable<V[typeof REFERENCE]>>
    : V
  : V;

/** What becomes such a reference on the other side. */
// Two functions, not one with two results: only then may one that gives nothing be any.
export type OwnReference<T> = T extends (...args: infer A) => infer R
  ? ((...args: A) => R) | ((...args: A) => Promise<Awaited<R>>)
  : T extends object ? Handle<T>
  : never;

/** What a function of the other side looks like here. */
export type RemoteFunction<A extends unknown[], R> = (
  ...args: { [I in keyof A]: RemoteArgument<A[I]> }
) => RemoteResult<R>;

/** What calling a function gives. `any` and `never` are assignable to a generator, but are none. */
export type RemoteResult<R> = 0 extends 1 & R ? Promise<R>
  : [R] extends [never] ? Promise<never>
  : [R] extends [AsyncGenerator<infer Y, infer T, infer _N>]
    ? AsyncIterableIterator<RemoteValue<Y>, RemoteValue<T>, undefined>
  : [R] extends [Generator<infer Y, infer T, infer _N>]
    ? AsyncIterableIterator<RemoteValue<Y>, RemoteValue<T>, undefined>
  : Promise<RemoteValue<Awaited<R>>>;

/** What no module exports to the other side: classes, and objects that are not plain. */
export type Unexported =
  // deno-lint-ignore no-explicit-any
  | (abstract new (...args: any) => unknown)
  | readonly unknown[]
  | Date
  | ReadonlyMap<unknown, unknown>
  | ReadonlySet<unknown>
  | RegExp
  | ArrayBuffer
  | ArrayBufferView;

/** What a module of the other side looks like here: everything callable is asynchronous. */
export type Remote<T> = {
  readonly [
    K in keyof T as K extends string ? 0 extends 1 & T[K] ? K : [T[K]] extends [Unexported] ? never : K
      : never
  ]: T[K] extends (...args: infer A) => infer R ? RemoteFunction<A, R>
    : T[K] extends object ? Remote<T[K]>
    : T[K];
};

/** What a service or handle of the other side looks like here: its methods, asynchronous, and nothing else. */
export type RemoteMethods<T> = {
  readonly [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends
    (...args: infer A) => infer R ? RemoteFunction<A, R> : never;
};

/** Where a remote module gets its exports and sends its calls. */
export interface RemoteSource {
  /** Read at every property access, since a restart may change it. */
  readonly exports: readonly ExportDescription[];
  /** Call a function; nested members are named `"parent.child"`. */
  call(method: string, args: readonly unknown[], options?: CallOptions): Promise<unknown>;
  /** Call a generator. */
  stream(method: string, args: readonly unknown[], options?: CallOptions): AsyncIterableIterator<unknown>;
}
