/**
 * Errors about the processes of plugins: those that do not come up, and those that die.
 *
 * @module
 */

import { CordonError, type CordonErrorOptions, type Finding } from "./cordon_error.ts";

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
  /** Why the process ended; `null` if it did not, or there was none. */
  readonly reason: ExitReason | null;
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
      readonly reason?: ExitReason | null;
      readonly exitCode?: number | null;
      readonly signal?: string | null;
      readonly stderrTail?: string;
      readonly findings?: readonly Finding[];
    },
  ) {
    super(message, options);
    this.stage = options.stage;
    this.reason = options.reason ?? null;
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
  | "connection-lost"
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
