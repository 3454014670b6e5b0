/**
 * What cordon-exec said when it could not do what it was told.
 *
 * @module
 */

/** The step that failed. */
export type ExecStep =
  | "usage"
  | "parent-death-signal"
  | "rlimit"
  | "no-new-privs"
  | "landlock"
  | "close-fds"
  | "seccomp"
  | "exec"
  | "guard"
  | "show"
  | "hand-over";

/** One failure of cordon-exec. */
export interface CordonExecFailure {
  /** What it was doing. */
  readonly step: ExecStep;
  /** The option, path or call that failed. */
  readonly subject: string;
  /** Name of the errno, such as `"ENOENT"`. */
  readonly errno: string;
}

const STEPS: ReadonlyMap<number, ExecStep> = new Map([
  [64, "usage"],
  [65, "parent-death-signal"],
  [66, "rlimit"],
  [67, "no-new-privs"],
  [68, "landlock"],
  [69, "close-fds"],
  [70, "seccomp"],
  [71, "exec"],
  [72, "guard"],
  [73, "show"],
  [74, "hand-over"],
]);

/**
 * Tells a failure of cordon-exec from an exit of the program that it became. Only meaningful for a process that
 * never came as far as running plugin code, as that could print and exit alike.
 *
 * @param exitCode How the process ended.
 * @param stderrTail The last that it wrote to stderr.
 * @returns The failure, or null if it was not cordon-exec that ended.
 *
 * @example
 * ```ts
 * import { cordonExecFailure } from "./cordon_exec_failure.ts";
 *
 * console.log(cordonExecFailure(71, "cordon-exec: /app/deno: ENOENT\n"));
 * // { step: "exec", subject: "/app/deno", errno: "ENOENT" }
 * ```
 */
export function cordonExecFailure(exitCode: number | null, stderrTail: string): CordonExecFailure | null {
  const step = exitCode === null ? undefined : STEPS.get(exitCode);
  const line = stderrTail.match(/(?:^|\n)cordon-exec: (.*): (E\w+)\n?$/);
  if (step === undefined || line === null) return null;
  return Object.freeze({ step, subject: line[1]!, errno: line[2]! });
}
