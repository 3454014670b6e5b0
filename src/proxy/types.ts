/**
 * How remote modules look to TypeScript, and where they get their calls answered.
 *
 * @module
 */

import type { CallOptions, ExportDescription } from "../rpc/mod.ts";

/**
 * What a function of the other side looks like here. `any` and `never` are assignable to a generator, but are none.
 */
export type RemoteFunction<A extends unknown[], R> = 0 extends 1 & R ? (...args: A) => Promise<R>
  : [R] extends [never] ? (...args: A) => Promise<never>
  : [R] extends [AsyncGenerator<infer Y, infer T, infer _N>]
    ? (...args: A) => AsyncIterableIterator<Y, T, undefined>
  : [R] extends [Generator<infer Y, infer T, infer _N>]
    ? (...args: A) => AsyncIterableIterator<Y, T, undefined>
  : (...args: A) => Promise<Awaited<R>>;

/** What a module or service of the other side looks like here: everything callable is asynchronous. */
export type Remote<T> = {
  readonly [K in keyof T as K extends string ? K : never]: T[K] extends (...args: infer A) => infer R
    ? RemoteFunction<A, R>
    : T[K] extends object ? Remote<T[K]>
    : T[K];
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
