/**
 * What a command of the command line is.
 *
 * @module
 */

import type { CommandLine } from "./command_line.ts";
import type { Output } from "./output.ts";

/** One option of a command. */
export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter, if it has one. */
  readonly short?: string;
  /** Whether a value follows; an optional one only after `=`. */
  readonly value: "none" | "optional" | "required";
  /** What the value is, for the help text, such as `"PATHS"`. */
  readonly valueName?: string;
  /** One line for the help text. */
  readonly summary: string;
}

/** What a command works with. */
export interface CommandContext {
  readonly line: CommandLine;
  readonly output: Output;
}

/** One command. */
export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** What follows the name, such as `"[options] <script> [-- arguments…]"`. */
  readonly usage: string;
  readonly options: readonly OptionSpec[];
  /** Command lines that work, with a remark each. */
  readonly examples: readonly (readonly [command: string, remark: string])[];
  /**
   * Do it.
   *
   * @param context The parsed command line, and where to print.
   * @returns Exit code.
   */
  run(context: CommandContext): Promise<number>;
}

/** Options that every command has. */
export const COMMON_OPTIONS: readonly OptionSpec[] = [
  {
    name: "json",
    value: "none",
    summary: "Print data as JSON, and errors as one JSON object on standard error",
  },
  { name: "help", short: "h", value: "none", summary: "Print this text" },
];
