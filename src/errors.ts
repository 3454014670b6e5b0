/**
 * Every error that a caller of Cordon may want to catch.
 *
 * @example
 * ```ts
 * import { ConfigError, createHost, LaunchError, PluginCrashedError } from "@cordon/cordon";
 * import { equal, ok } from "node:assert/strict";
 *
 * const file = await Deno.makeTempFile({ suffix: ".ts" });
 * await Deno.writeTextFile(file, "export const leave = (code: number): void => Deno.exit(code);");
 * await using host = await createHost();
 * try {
 *   await using plugin = await host.load<{ leave(code: number): void }>(file);
 *   await plugin.api.leave(3);
 * } catch (error) {
 *   if (error instanceof ConfigError) console.log(error.path, error.hint); // a mistake in the options
 *   if (error instanceof LaunchError) console.log(error.stage, error.stderrTail); // it did not come up
 *   ok(error instanceof PluginCrashedError); // it died under a call
 *   equal(error.exitCode, 3);
 * }
 * await Deno.remove(file);
 * ```
 *
 * @module
 */

import { CordonError, type CordonErrorOptions, type Finding } from "./util/cordon_error.ts";

export { CordonError, type CordonErrorOptions, type Finding };
export { type ExitReason, LaunchError, type LaunchStage, PluginCrashedError } from "./util/process_errors.ts";

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
