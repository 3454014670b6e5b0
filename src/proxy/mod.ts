/**
 * Objects over a session: what is exposed, and what it looks like on the other side.
 *
 * @module
 */

export { exposeModule, PLUGIN_TARGET } from "./expose_module.ts";
export { exposeService } from "./expose_service.ts";
export { exposeSingleton } from "./expose_singleton.ts";
export { handle } from "./handle.ts";
export { local } from "./local.ts";
export { ProxiedSingleton, type SingletonClass, type SingletonRpc } from "./proxied_singleton.ts";
export { remoteModule, remoteService, sessionSource } from "./remote_module.ts";
export { singletonScope } from "./singleton_scope.ts";
export type {
  Callback,
  Handle,
  OwnReference,
  REFERENCE,
  Remote,
  RemoteArgument,
  RemoteFunction,
  RemoteHandle,
  RemoteMethods,
  RemoteReference,
  RemoteResult,
  RemoteSource,
  RemoteValue,
  Unexported,
} from "./types.ts";
