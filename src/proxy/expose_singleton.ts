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
 * @param methods What may be called of it; nested ones are exposed whole. @default all that are not `@local`
 * @returns What is exposed, the class itself first.
 * @throws {TypeError} If an id is taken, or a listed method is missing.
 */
export function exposeSingleton(
  session: RpcSession,
  type: SingletonClass,
  methods: readonly string[] | "all" = "all",
): ServiceDescription[] {
  const instance = ProxiedSingleton.instance.call(type);
  const own = exposeService(session, type.remoteId, instance, methods);
  return [own, ...Object.values(type.nested).flatMap((nested) => exposeSingleton(session, nested))];
}
