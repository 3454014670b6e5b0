/**
 * Lets a peer use our instance of a singleton.
 *
 * @module
 */

import type { RpcSession, ServiceDescription } from "../rpc/mod.ts";
import { exposeService } from "./expose_service.ts";
import { ProxiedSingleton, type SingletonClass } from "./proxied_singleton.ts";

/**
 * Expose the instance of a singleton class under its `remoteId`, with its nested ones. On the other side, the same
 * class calls `useRemote()`. Every session of a restarted plugin gets the same instance.
 *
 * @param session Who may call.
 * @param type The class; its instance is made if there is none.
 * @param methods What may be called of it, of nested ones as `"cache.size"`: those that are not named are not exposed.
 * @default all that are not `@local`, of nested ones too
 * @returns What is exposed, the class itself first.
 * @throws {TypeError} If an id is taken, or a listed method is missing.
 */
export function exposeSingleton(
  session: RpcSession,
  type: SingletonClass,
  methods: readonly string[] | "all" = "all",
): ServiceDescription[] {
  const instance = ProxiedSingleton.instance.call(type);
  const nested = Object.entries(type.nested).map(([name, one]) =>
    [one, methodsBelow(name, methods)] as const
  );
  const isNested = (method: string) => Object.keys(type.nested).some((name) => method.startsWith(`${name}.`));
  const ownMethods = methods === "all" ? methods : methods.filter((method) => !isNested(method));
  const own = exposeService(session, type.remoteId, instance, ownMethods);
  return [own, ...nested.flatMap(([one, its]) => its.length === 0 ? [] : exposeSingleton(session, one, its))];
}

/** A grant of some methods grants nothing else: least of all whole objects beside them. */
function methodsBelow(name: string, methods: readonly string[] | "all"): readonly string[] | "all" {
  if (methods === "all") return methods;
  const prefix = `${name}.`;
  return methods.filter((method) => method.startsWith(prefix)).map((method) => method.slice(prefix.length));
}
