/**
 * Marks methods of a singleton that run where they are called.
 *
 * @module
 */

import { LOCAL } from "./callable_members.ts";

/**
 * Method decorator: the method runs in the calling process, also on a proxy, and cannot be called by a peer.
 *
 * @param method The method.
 * @param _context Of the decorator.
 *
 * @example
 * ```ts
 * import { local } from "./local.ts";
 * import { ProxiedSingleton } from "./proxied_singleton.ts";
 *
 * class Registry extends ProxiedSingleton {
 *   get = (name: string) => name.length; // runs in the host
 *   @local
 *   normalize(name: string): string {
 *     return name.trim(); // runs in the plugin that calls it
 *   }
 * }
 * console.log(Registry.instance().normalize(" base "));
 * ```
 */
// deno-lint-ignore no-explicit-any
export function local<T extends (...args: any[]) => any>(
  method: T,
  _context: ClassMethodDecoratorContext,
): void {
  Object.defineProperty(method, LOCAL, { value: true });
}
