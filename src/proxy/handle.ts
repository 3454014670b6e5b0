/**
 * Sends an object by reference.
 *
 * @module
 */

import { HandleMark } from "../rpc/mod.ts";
import { callableKind, callableMembers } from "./callable_members.ts";
import type { Handle } from "./types.ts";

/**
 * Mark an object to stay here: the peer gets a remote object with its methods instead of a copy. Disposing the remote
 * object, forgetting it, or the peer's death releases it.
 *
 * @param object A plain object or an instance.
 * @param methods What the peer may call. @default all but private and inherited-from-Object ones
 * @returns Something to pass as an argument or to return; typed as the object, for the sake of signatures, and marked.
 * @throws {TypeError} If a listed method is missing.
 *
 * @example
 * ```ts
 * import { handle } from "./handle.ts";
 * import type { Handle } from "./types.ts";
 *
 * class Page {
 *   title() {
 *     return "x";
 *   }
 * }
 * function open(): Handle<Page> {
 *   return handle(new Page());
 * }
 * open();
 * ```
 */
export function handle<T extends object>(object: T, methods?: readonly (keyof T & string)[]): Handle<T> {
  const members = callableMembers(object, methods ?? "all", "handle");
  // Bound functions do not tell what they are; the originals do.
  const generators = [...members.keys()].filter((name) =>
    callableKind(Reflect.get(object, name)) === "stream"
  );
  return new HandleMark(object, members, new Set(generators)) as unknown as Handle<T>;
}
