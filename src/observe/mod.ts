/**
 * Watching plugins: a log, a trace, metrics and an audit of permissions, all fed with the same events.
 *
 * @module
 */

export { auditSink } from "./audit_sink.ts";
export type { AuditEntry, AuditSink, AuditSinkOptions } from "./audit_sink.ts";
export { logSink } from "./log_sink.ts";
export type { LogLevel, LogSinkOptions } from "./log_sink.ts";
export { metricsSink } from "./metrics_sink.ts";
export type { DurationHistogram, MetricsSink, MetricsSnapshot, PluginMetrics } from "./metrics_sink.ts";
export { teeSink } from "./tee_sink.ts";
export type { TeeSink } from "./tee_sink.ts";
export { traceSink } from "./trace_sink.ts";
export type { TraceSink, TraceSinkOptions } from "./trace_sink.ts";
export type { ObservedEvent, Sink } from "./types.ts";
