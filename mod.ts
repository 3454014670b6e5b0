/**
 * Cordon runs code that nobody fully trusts, each plugin in its own sandboxed process, callable like a local object.
 *
 * Start with {@linkcode createHost}; what a plugin itself imports is `@cordon/cordon/plugin`.
 *
 * @example
 * ```ts
 * import { createHost } from "@cordon/cordon";
 *
 * const code = `export function add(a, b) { return a + b; }`;
 * const file = await Deno.makeTempFile({ suffix: ".js" });
 * await Deno.writeTextFile(file, code);
 *
 * await using host = await createHost();
 * await using plugin = await host.load<{ add(a: number, b: number): number }>(file);
 * console.log(await plugin.api.add(2, 3)); // 5
 * await Deno.remove(file);
 * ```
 *
 * @module
 */

export * from "./src/errors.ts";
export { createHost } from "./src/supervisor/host.ts";
export type { Host, Plugin, PrewarmOptions, RunOptions, ScriptResult } from "./src/supervisor/types.ts";
export type { HostEvents } from "./src/supervisor/host_events.ts";
export type { ReloadEvent } from "./src/supervisor/hot_reload.ts";
export type { LoadedDirectory } from "./src/supervisor/load_directory.ts";
export type { OrderedMapOptions } from "./src/supervisor/ordered_map.ts";
export type { PluginPool } from "./src/supervisor/plugin_pool.ts";
export type {
  PoolStats,
  PoolWork,
  TaskHandle,
  TaskOptions,
  TaskPool,
  TaskState,
} from "./src/supervisor/pool_types.ts";
export type { Capability, ManifestDependency, PluginManifest } from "./src/config/mod.ts";
export type { PathGrant, PermissionConfig } from "./src/config/types.ts";
export type {
  CrashedStatus,
  ExitFacts,
  PluginStatus,
  QuarantinedStatus,
  RestartingStatus,
  RunningFacts,
  RunningStatus,
  StartingStatus,
  StatusBase,
  TerminatedStatus,
} from "./src/supervisor/status.ts";
export type {
  BackoffOptions,
  CudaOptions,
  DebounceOptions,
  Enforce,
  FileChange,
  HostOptions,
  InspectOptions,
  LimitOptions,
  LoadOptions,
  NamespaceOptions,
  OnQueueFull,
  OutputOption,
  PermissionOptions,
  PoolOptions,
  RestartOptions,
  SandboxMode,
  SharableNamespace,
  Size,
  WatchOptions,
} from "./src/config/types.ts";
export type { ProfileName } from "./src/config/mod.ts";
export type {
  LearnedGrant,
  OnPermission,
  PermissionAnswer,
  PermissionKind,
  PermissionRequest,
} from "./src/util/permission.ts";
export type { PermissionEvent } from "./src/supervisor/permission_event.ts";
export { grantText } from "./src/supervisor/learned_grant.ts";
export { auditSink, logSink, metricsSink, teeSink, traceSink } from "./src/observe/mod.ts";
export type {
  AuditEntry,
  AuditSink,
  AuditSinkOptions,
  DurationHistogram,
  LogLevel,
  LogSinkOptions,
  MetricsSink,
  MetricsSnapshot,
  ObservedEvent,
  PluginMetrics,
  Sink,
  TeeSink,
  TraceSink,
  TraceSinkOptions,
} from "./src/observe/mod.ts";
export type {
  Account,
  DenoPermissions,
  LimitEnforcement,
  LimitName,
  Mount,
  PolicyDependencies,
  SandboxPolicy,
  SeccompProfile,
  Tier,
} from "./src/policy/types.ts";
export type {
  BwrapFacts,
  DenoFacts,
  GpuLibrary,
  PlatformFacts,
  PlatformReport,
} from "./src/platform/types.ts";
export { handle, local, ProxiedSingleton, singletonScope } from "./src/proxy/mod.ts";
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
  RemoteValue,
  SingletonClass,
  SingletonRpc,
  Unexported,
} from "./src/proxy/mod.ts";
export { type ArrowData, fromArrow, toArrow } from "./src/tensor/adapters/arrow.ts";
export { fromOrt, type OrtTensor, type OrtTensorClass, toOrt } from "./src/tensor/adapters/onnxruntime.ts";
export {
  readSafetensors,
  type SafetensorsFile,
  writeSafetensors,
} from "./src/tensor/adapters/safetensors.ts";
export { copied, move, Tensor } from "./src/tensor/mod.ts";
export type {
  Device,
  Dtype,
  DtypeArray,
  Slice,
  TensorArray,
  TensorOptions,
  TensorStats,
} from "./src/tensor/mod.ts";
export { currentCall, TypeRegistry } from "./src/rpc/mod.ts";
export type {
  CallContext,
  CallOptions,
  PendingCall,
  RegisteredType,
  RpcInspection,
  RpcRole,
  RpcState,
  RpcStats,
  TypeCodec,
} from "./src/rpc/mod.ts";
export type * from "./src/tensor/cuda/public_types.ts";
