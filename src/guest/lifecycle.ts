/**
 * Runs what a plugin wants to do at moments of its own life.
 *
 * @module
 */

import type { RpcFunction } from "../rpc/mod.ts";
import type { LifecycleHook, LifecycleMoments, OnLifecycle } from "./lifecycle_types.ts";

type Hook = (event: never) => unknown;

/** The hooks of the one plugin in this process. */
export class GuestLifecycle {
  readonly #hooks: { readonly [K in keyof LifecycleMoments]: Set<Hook> } = {
    "before-load": new Set(),
    loaded: new Set(),
    "before-call": new Set(),
    "after-call": new Set(),
    unload: new Set(),
  };

  /** Registers a hook. */
  readonly on: OnLifecycle = (moment, hook) => {
    if (!Object.hasOwn(this.#hooks, moment)) {
      const known = Object.keys(this.#hooks).join('", "');
      throw new TypeError(`Cannot listen to "${String(moment)}": moments of a plugin's life are "${known}"`);
    }
    const own = (event: LifecycleMoments[typeof moment]) => hook(event);
    this.#hooks[moment].add(own);
    return { [Symbol.dispose]: () => void this.#hooks[moment].delete(own) };
  };

  /**
   * The modules have run.
   *
   * @throws What the first hook throws that does: then the plugin does not load.
   */
  async beforeLoad(): Promise<void> {
    for (const hook of this.#hooks["before-load"]) await (hook as LifecycleHook<"before-load">)(undefined);
  }

  /** The host knows the exports. */
  loaded(): void {
    this.#tell("loaded", undefined);
  }

  /**
   * The host stops this plugin: hooks run, last registered first.
   *
   * @returns The exit code: 0, or 1 if a hook failed.
   */
  async unload(): Promise<number> {
    let exitCode = 0;
    for (const hook of [...this.#hooks.unload].reverse()) {
      try {
        await (hook as LifecycleHook<"unload">)(undefined);
      } catch (error) {
        exitCode = 1;
        report(error);
      }
    }
    return exitCode;
  }

  /**
   * An export that tells of its calls. Costs one look at two sets while nobody listens.
   *
   * @param method Its name.
   * @param member The export.
   * @returns What to call in its place.
   */
  readonly around = (method: string, member: RpcFunction): RpcFunction => {
    const before = this.#hooks["before-call"];
    const after = this.#hooks["after-call"];
    return (...args) => before.size + after.size === 0 ? member(...args) : this.#told(method, member, args);
  };

  #told(method: string, member: RpcFunction, args: unknown[]): unknown {
    const startedAt = performance.now();
    const ended = (error: unknown): void =>
      this.#tell("after-call", { method, durationMs: performance.now() - startedAt, error });
    this.#tell("before-call", { method, args });
    let result: unknown;
    try {
      result = member(...args);
    } catch (error) {
      ended(error);
      throw error;
    }
    if (isGenerator(result)) return untilDone(result, ended);
    if (!isPromise(result)) {
      ended(null);
      return result;
    }
    return result.then((value) => {
      ended(null);
      return value;
    }, (error) => {
      ended(error);
      throw error;
    });
  }

  /** A hook that fails is told on stderr and breaks nothing. */
  #tell<K extends "loaded" | "before-call" | "after-call">(moment: K, event: LifecycleMoments[K]): void {
    for (const hook of [...this.#hooks[moment]]) {
      try {
        const result = (hook as LifecycleHook<K>)(event);
        if (isPromise(result)) result.then(undefined, report);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** The items of a stream; `ended` is told once, however it ends. */
async function* untilDone(
  items: AsyncGenerator<unknown, unknown, unknown>,
  ended: (error: unknown) => void,
): AsyncGenerator<unknown, unknown, unknown> {
  let failure: unknown = null;
  try {
    return yield* items;
  } catch (error) {
    failure = error;
    throw error;
  } finally {
    ended(failure);
  }
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as Partial<PromiseLike<unknown>> | null | undefined)?.then === "function";
}

function isGenerator(value: unknown): value is AsyncGenerator<unknown, unknown, unknown> {
  const kind = Object.prototype.toString.call(value);
  return kind === "[object AsyncGenerator]" || kind === "[object Generator]";
}

/**
 * Tell on stderr what failed and breaks nothing. `reportError()` would end the process.
 *
 * @param error What a hook or handler threw.
 */
export function report(error: unknown): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${textOf(error)}\n`));
}

function textOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.stack ?? error : error);
  } catch {
    return "Something was thrown that cannot be shown: reading it throws";
  }
}
