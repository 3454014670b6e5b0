/**
 * Which exit code an error ends the program with.
 *
 * @module
 */

import {
  BundleError,
  CallTimeoutError,
  ConfigError,
  LaunchError,
  NativeError,
  PermissionDeniedError,
  PluginCrashedError,
  PoolSaturatedError,
  ProtocolError,
  RemoteError,
  SandboxUnavailableError,
} from "../errors.ts";
import { signalExitCode } from "../util/signals.ts";
import { NoInputError } from "./entry_module.ts";
import { flagOfPath } from "./plugin_flags.ts";
import { UsageError } from "./usage_error.ts";

/** Exit codes, those of sysexits.h where it has one. */
export const EXIT = {
  ok: 0,
  pluginThrew: 1,
  usage: 64,
  noInput: 66,
  unavailable: 69,
  internal: 70,
  saturated: 75,
  denied: 77,
  config: 78,
  timeout: 124,
  killed: 137,
} as const;

/**
 * The exit code for an error.
 *
 * @param error What was thrown while the command ran.
 * @returns Its exit code; 70 for what nobody expected.
 */
export function exitCode(error: unknown): number {
  if (error instanceof UsageError) return EXIT.usage;
  if (error instanceof NoInputError) return EXIT.noInput;
  if (error instanceof ConfigError) return flagOfPath(error.path) === null ? EXIT.config : EXIT.usage;
  if (error instanceof SandboxUnavailableError) return EXIT.unavailable;
  if (error instanceof PermissionDeniedError) return EXIT.denied;
  if (error instanceof CallTimeoutError) return EXIT.timeout;
  if (error instanceof PoolSaturatedError) return EXIT.saturated;
  if (error instanceof BundleError) return isMissing(error) ? EXIT.noInput : EXIT.pluginThrew;
  if (error instanceof LaunchError) return launchCode(error);
  if (error instanceof PluginCrashedError) return crashCode(error);
  if (error instanceof RemoteError) return isDenial(error.remoteName) ? EXIT.denied : EXIT.pluginThrew;
  if (error instanceof ProtocolError || error instanceof NativeError) return EXIT.internal;
  if (error instanceof Error && isDenial(error.name)) return EXIT.denied;
  return EXIT.internal;
}

/**
 * The exit code for an error that the plugin's own code threw.
 *
 * @param error What a call rejected with.
 * @returns Its exit code; 1 for what has no meaning of its own here.
 */
export function pluginExitCode(error: unknown): number {
  const code = exitCode(error);
  return code === EXIT.internal && !(error instanceof ProtocolError || error instanceof NativeError)
    ? EXIT.pluginThrew
    : code;
}

function launchCode(error: LaunchError): number {
  if (error.signal !== null) return signalExitCode(error.signal);
  switch (error.stage) {
    case "import":
      return error.exitCode ?? (error.cause === undefined ? EXIT.pluginThrew : pluginExitCode(error.cause));
    case "sandbox":
      return EXIT.unavailable;
    case "handshake":
    case "spawn":
      return EXIT.internal;
  }
}

function crashCode(error: PluginCrashedError): number {
  if (error.reason === "wall-timeout" || error.reason === "handshake-timeout") return EXIT.timeout;
  if (error.signal !== null) return signalExitCode(error.signal);
  if (error.reason === "memory-limit" || error.reason === "out-of-memory") return EXIT.killed;
  return error.exitCode === null || error.exitCode === 0 ? EXIT.pluginThrew : error.exitCode;
}

function isMissing(error: BundleError): boolean {
  return error.cause instanceof Deno.errors.NotFound;
}

function isDenial(name: string): boolean {
  return name === "NotCapable" || name === "PermissionDenied";
}
