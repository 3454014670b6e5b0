/**
 * Calls, callbacks, streams and events between two processes. PROTOCOL.md says what goes over the wire.
 *
 * @module
 */

export { currentCall, loadAmbientStore } from "./ambient.ts";
export { HandleMark } from "./handle_mark.ts";
export { DEFAULT_RPC_LIMITS } from "./limits.ts";
export { PROTOCOL_VERSION } from "./messages.ts";
export type { RemoteCallback } from "./references.ts";
export { RpcSession } from "./session.ts";
export { describeMessage, traceFromEnvironment } from "./trace.ts";
export { checkCustomType, type RegisteredType, TypeRegistry } from "./type_registry.ts";
export type {
  AmbientStore,
  CallContext,
  CallOptions,
  CodecContext,
  ExportDescription,
  FrameTrace,
  LoadSpec,
  PeerHello,
  PendingCall,
  RpcFunction,
  RpcInspection,
  RpcLimits,
  RpcRole,
  RpcSessionOptions,
  RpcState,
  RpcStats,
  ServiceDescription,
  TypeCodec,
} from "./types.ts";
