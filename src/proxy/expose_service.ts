/**
 * Lets a peer call an object of ours by name.
 *
 * @module
 */

import type { RpcSession, ServiceDescription } from "../rpc/mod.ts";
import { callableKind, callableMembers } from "./callable_members.ts";

/**
 * Expose methods of an object: its own and those of its classes, never names that begin with `_`, `constructor`,
 * `then`, or what every object has.
 *
 * @param session Who may call.
 * @param name Name to call it by.
 * @param object Stays here; the methods are bound to it.
 * @param methods What may be called.
 * @returns What is exposed, for the peer.
 * @throws {TypeError} If a listed method is missing, or the name is taken.
 *
 * @example
 * ```ts
 * import { memoryTransportPair } from "../transport/mod.ts";
 * import { RpcSession } from "../rpc/mod.ts";
 * import { exposeService } from "./expose_service.ts";
 * import { remoteService } from "./remote_module.ts";
 *
 * class Counter {
 *   #count = 0;
 *   next() {
 *     return ++this.#count;
 *   }
 * }
 * const [left, right] = memoryTransportPair();
 * await using host = new RpcSession(left, { role: "host", token: "secret" });
 * await using guest = new RpcSession(right, { role: "guest", token: "secret" });
 * const description = exposeService(host, "counter", new Counter(), "all");
 * await Promise.all([host.start(), guest.start()]);
 * await remoteService<Counter>(guest, "counter", description).next(); // 1
 * ```
 */
export function exposeService(
  session: RpcSession,
  name: string,
  object: object,
  methods: readonly string[] | "all",
): ServiceDescription {
  const members = callableMembers(object, methods, name);
  session.expose(name, members);
  return { name, members: [...members.keys()].map((member) => describeMember(object, member)) };
}

function describeMember(object: object, name: string): ServiceDescription["members"][number] {
  // Bound functions do not tell what they are; the originals do.
  return { name, kind: callableKind(Reflect.get(object, name)) };
}
