/**
 * Fresh singletons for a while.
 *
 * @module
 */

import { ProxiedSingleton } from "./proxied_singleton.ts";

/**
 * Begin with no singletons, and restore those of before at the end; also when something throws. Scopes nest.
 *
 * @returns Disposing it ends the scope.
 *
 * @example
 * ```ts
 * import { singletonScope } from "./singleton_scope.ts";
 *
 * {
 *   using _scope = singletonScope();
 *   // instances made here are gone after the block
 * }
 * ```
 */
export function singletonScope(): Disposable {
  return ProxiedSingleton.scope();
}
