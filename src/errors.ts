/**
 * Every error that a caller of Cordon may want to catch.
 *
 * @module
 */

import { CordonError, type CordonErrorOptions, type Finding } from "./util/cordon_error.ts";

export { CordonError, type CordonErrorOptions, type Finding };

/** An option, a manifest key or a command-line argument is not valid. */
export class ConfigError extends CordonError {
  /** `"ConfigError"`, also in minified code. */
  override readonly name: string = "ConfigError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_CONFIG";
  /** Path of the offending key, such as `"limits.memory"`. */
  readonly path: string;

  /**
   * Make the error.
   *
   * @param message What is wrong with the value.
   * @param options `path` names the key.
   */
  constructor(message: string, options: CordonErrorOptions & { readonly path: string }) {
    super(message, options);
    this.path = options.path;
  }
}

/** This machine cannot confine a plugin as demanded. Nothing of the plugin ran. */
export class SandboxUnavailableError extends CordonError {
  /** `"SandboxUnavailableError"`, also in minified code. */
  override readonly name: string = "SandboxUnavailableError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_SANDBOX_UNAVAILABLE";
  /** What was found missing, each with its cause and its fix. */
  readonly findings: readonly Finding[];

  /**
   * Make the error.
   *
   * @param message What cannot be enforced.
   * @param options `findings`: every check that failed.
   */
  constructor(message: string, options: CordonErrorOptions & { readonly findings: readonly Finding[] }) {
    super(message, options);
    this.findings = options.findings;
  }
}

/** The plugin's code could not be found, parsed or bundled. */
export class BundleError extends CordonError {
  /** `"BundleError"`, also in minified code. */
  override readonly name: string = "BundleError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_BUNDLE";
  /** Where in the original source, as far as known. Line and column count from 1. */
  readonly location: { readonly file: string; readonly line: number; readonly column: number } | undefined;

  /**
   * Make the error.
   *
   * @param message What could not be bundled.
   * @param options `location` in the original source.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & { readonly location?: BundleError["location"] } = {},
  ) {
    super(message, options);
    this.location = options.location;
  }
}

/** The stage that a start had reached when it failed. */
export type LaunchStage = "spawn" | "sandbox" | "handshake" | "import";

/** A sandbox could not be started, or its plugin failed before it was ready. */
export class LaunchError extends CordonError {
  /** `"LaunchError"`, also in minified code. */
  override readonly name: string = "LaunchError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_LAUNCH";
  /** How far the start had come. */
  readonly stage: LaunchStage;
  /** Exit code, if the process ended by itself. */
  readonly exitCode: number | null;
  /** Signal name such as `"SIGKILL"`, if a signal ended it. */
  readonly signal: string | null;
  /** The last lines that the process wrote to stderr. */
  readonly stderrTail: string;
  /** Why the sandbox could not be set up, and how to repair that, as far as it is known. */
  readonly findings: readonly Finding[];

  /**
   * Make the error.
   *
   * @param message What failed.
   * @param options The facts of the failure.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & {
      readonly stage: LaunchStage;
      readonly exitCode?: number | null;
      readonly signal?: string | null;
      readonly stderrTail?: string;
      readonly findings?: readonly Finding[];
    },
  ) {
    super(message, options);
    this.stage = options.stage;
    this.exitCode = options.exitCode ?? null;
    this.signal = options.signal ?? null;
    this.stderrTail = options.stderrTail ?? "";
    this.findings = options.findings ?? [];
  }
}

/** Why a plugin's process ended. */
export type ExitReason =
  | "clean-exit"
  | "exit-code"
  | "signal"
  | "out-of-memory"
  | "memory-limit"
  | "cpu-limit"
  | "wall-timeout"
  | "output-limit"
  | "seccomp"
  | "spawn-failed"
  | "sandbox-setup-failed"
  | "handshake-timeout"
  | "protocol-error"
  | "heartbeat-lost"
  | "stopped"
  | "killed-by-host";

/** The plugin's process died while something depended on it. */
export class PluginCrashedError extends CordonError {
  /** `"PluginCrashedError"`, also in minified code. */
  override readonly name: string = "PluginCrashedError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_PLUGIN_CRASHED";
  /** Why it ended. */
  readonly reason: ExitReason;
  /** Exit code, if it ended by itself. */
  readonly exitCode: number | null;
  /** Signal name, if a signal ended it. */
  readonly signal: string | null;
  /** The last lines of its stderr. */
  readonly stderrTail: string;

  /**
   * Make the error.
   *
   * @param message Which plugin died and how.
   * @param options The facts of the death.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & {
      readonly reason: ExitReason;
      readonly exitCode?: number | null;
      readonly signal?: string | null;
      readonly stderrTail?: string;
    },
  ) {
    super(message, options);
    this.reason = options.reason;
    this.exitCode = options.exitCode ?? null;
    this.signal = options.signal ?? null;
    this.stderrTail = options.stderrTail ?? "";
  }
}

/** The plugin or host was used after it was stopped or disposed. */
export class DisposedError extends CordonError {
  /** `"DisposedError"`, also in minified code. */
  override readonly name: string = "DisposedError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_DISPOSED";
}

/** A call did not finish before its deadline. */
export class CallTimeoutError extends CordonError {
  /** `"CallTimeoutError"`, also in minified code. */
  override readonly name: string = "CallTimeoutError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_CALL_TIMEOUT";
  /** The deadline that passed, in milliseconds after the call was made. */
  readonly timeoutMs: number;

  /**
   * Make the error.
   *
   * @param message Which call timed out.
   * @param options `timeoutMs`: the deadline in milliseconds.
   */
  constructor(message: string, options: CordonErrorOptions & { readonly timeoutMs: number }) {
    super(message, options);
    this.timeoutMs = options.timeoutMs;
  }
}

/** A bound that was set in advance would have been passed. */
export class LimitExceededError extends CordonError {
  /** `"LimitExceededError"`, also in minified code. */
  override readonly name: string = "LimitExceededError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_LIMIT_EXCEEDED";
  /** Name of the limit, such as `"maxFrameBytes"`. */
  readonly limit: string;
  /** What was asked for, in the limit's unit. */
  readonly asked: number;
  /** What is allowed, in the limit's unit. */
  readonly allowed: number;

  /**
   * Make the error.
   *
   * @param message What would have passed the limit.
   * @param options `limit`, `asked`, `allowed`.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & {
      readonly limit: string;
      readonly asked: number;
      readonly allowed: number;
    },
  ) {
    super(message, options);
    this.limit = options.limit;
    this.asked = options.asked;
    this.allowed = options.allowed;
  }
}

/** Shared memory was asked for that is not there: a budget is spent, or the machine has none left. */
export class MemoryPressureError extends LimitExceededError {
  /** `"MemoryPressureError"`, also in minified code. */
  override readonly name: string = "MemoryPressureError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_MEMORY_PRESSURE";
  /** What was left, in bytes. */
  readonly free: number;

  /**
   * Make the error.
   *
   * @param message What could not be had.
   * @param options `limit`, `asked`, `allowed` and `free`.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & {
      readonly limit: string;
      readonly asked: number;
      readonly allowed: number;
      readonly free: number;
    },
  ) {
    super(message, options);
    this.free = options.free;
  }
}

/** A plugin asked for something that its grant does not contain. */
export class PermissionDeniedError extends CordonError {
  /** `"PermissionDeniedError"`, also in minified code. */
  override readonly name: string = "PermissionDeniedError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_PERMISSION_DENIED";
  /** The line that would grant it, for whoever may grant it. */
  readonly suggestion: string;

  /**
   * Make the error.
   *
   * @param message What was denied.
   * @param options `suggestion`: the line to add.
   */
  constructor(message: string, options: CordonErrorOptions & { readonly suggestion: string }) {
    super(message, options);
    this.suggestion = options.suggestion;
  }
}

/** A value cannot cross between processes. */
export class SerializationError extends CordonError {
  /** `"SerializationError"`, also in minified code. */
  override readonly name: string = "SerializationError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_SERIALIZATION";
  /** Where the value stands, such as `"$.args[0].user.socket"`. */
  readonly path: string;

  /**
   * Make the error.
   *
   * @param message Why the value cannot cross.
   * @param options `path` of the value.
   */
  constructor(message: string, options: CordonErrorOptions & { readonly path: string }) {
    super(message, options);
    this.path = options.path;
  }
}

/** The peer broke the wire protocol; the connection was closed. */
export class ProtocolError extends CordonError {
  /** `"ProtocolError"`, also in minified code. */
  override readonly name: string = "ProtocolError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_PROTOCOL";
}

/** The other side threw something whose class is not known here. */
export class RemoteError extends CordonError {
  /** `"RemoteError"`, also in minified code. */
  override readonly name: string = "RemoteError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_REMOTE";
  /** `name` of the error on the other side. */
  readonly remoteName: string;
  /** Stack of the other side, mapped to its source lines. */
  readonly remoteStack: string;

  /**
   * Make the error.
   *
   * @param message Message of the other side.
   * @param options `remoteName` and `remoteStack`.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & { readonly remoteName: string; readonly remoteStack: string },
  ) {
    super(message, options);
    this.remoteName = options.remoteName;
    this.remoteStack = options.remoteStack;
  }
}

/** A pool has no room for another task. */
export class PoolSaturatedError extends CordonError {
  /** `"PoolSaturatedError"`, also in minified code. */
  override readonly name: string = "PoolSaturatedError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_POOL_SATURATED";
}

/** Every worker of a pool crashed too often; `cause` is the last crash. */
export class PoolBrokenError extends CordonError {
  /** `"PoolBrokenError"`, also in minified code. */
  override readonly name: string = "PoolBrokenError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_POOL_BROKEN";
}

/** A call into the native library failed. */
export class NativeError extends CordonError {
  /** `"NativeError"`, also in minified code. */
  override readonly name: string = "NativeError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_NATIVE";
  /** Name of the native function. */
  readonly call: string;
  /** Name of the errno, such as `"ENOMEM"`. */
  readonly errno: string;

  /**
   * Make the error.
   *
   * @param message What failed.
   * @param options `call` and `errno`.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & { readonly call: string; readonly errno: string },
  ) {
    super(message, options);
    this.call = options.call;
    this.errno = options.errno;
  }
}

/** A graphics driver refused a call, or there is none. */
export class CudaError extends CordonError {
  /** `"CudaError"`, also in minified code. */
  override readonly name: string = "CudaError";
  /** Stable identifier of the class. */
  override readonly code: string = "CORDON_CUDA";
  /** The driver's function that was called. */
  readonly call: string;
  /** What it answered: the name of a CUresult such as `"CUDA_ERROR_OUT_OF_MEMORY"`, or of an errno. */
  readonly result: string;

  /**
   * Make the error.
   *
   * @param message What could not be done.
   * @param options The function and its answer.
   */
  constructor(
    message: string,
    options: CordonErrorOptions & { readonly call: string; readonly result: string },
  ) {
    super(message, options);
    this.call = options.call;
    this.result = options.result;
  }
}
