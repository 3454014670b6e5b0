/**
 * The command line of Cordon: run, learn, call, doctor, explain, init, compile.
 *
 * @module
 */

import type { Command } from "./command.ts";
import { COMMON_OPTIONS } from "./command.ts";
import { commandLine } from "./command_line.ts";
import { callCommand } from "./commands/call.ts";
import { compileCommand } from "./commands/compile.ts";
import { doctorCommand } from "./commands/doctor.ts";
import { explainCommand } from "./commands/explain.ts";
import { initCommand } from "./commands/init.ts";
import { learnCommand } from "./commands/learn.ts";
import { runCommand } from "./commands/run.ts";
import { reportError } from "./error_report.ts";
import { EXIT, exitCode } from "./exit_code.ts";
import { commandHelp, programHelp } from "./help_text.ts";
import { nearest } from "../util/nearest.ts";
import { quote } from "../util/quote.ts";
import { signalExitCode } from "../util/signals.ts";
import { openOutput, type Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";
import { version } from "./version.ts";

const COMMANDS: readonly Command[] = [
  runCommand,
  learnCommand,
  callCommand,
  doctorCommand,
  explainCommand,
  initCommand,
  compileCommand,
];

if (import.meta.main) Deno.exit(await main(Deno.args));

/**
 * Run the command line.
 *
 * @param args Arguments after the program's name.
 * @returns Exit code: 0 ok, 1 the plugin threw, 64 usage, 66 no input, 69 no sandbox, 70 internal, 75 saturated, 77 denied,
 * 78 bad configuration, 124 timeout, 128 + n ended by signal n.
 *
 * @example
 * ```ts
 * import { main } from "@cordon/cordon/cli";
 * import { equal } from "node:assert/strict";
 *
 * equal(await main(["--version"]), 0);
 * ```
 */
export async function main(args: readonly string[]): Promise<number> {
  const own = args.includes("--") ? args.slice(0, args.indexOf("--")) : args;
  const output = openOutput({ isJson: own.includes("--json") });
  try {
    return await dispatch(args, output);
  } catch (error) {
    // Whoever read our output has gone, as `head` does: nothing is left to say, nor anybody to say it to.
    if (error instanceof Deno.errors.BrokenPipe) return signalExitCode("SIGPIPE");
    const first = firstOf(error);
    reportError(first, output);
    return exitCode(first);
  }
}

/** What went wrong first, where cleaning up after it went wrong too. */
function firstOf(error: unknown): unknown {
  return error instanceof SuppressedError ? firstOf(error.suppressed) : error;
}

async function dispatch(args: readonly string[], output: Output): Promise<number> {
  const [name = "", ...rest] = args;
  if (name === "--version") return printed(output, version());
  if (["help", "--help", "-h"].includes(name)) return help(rest, output);
  if (name === "") {
    output.note(programHelp(COMMANDS));
    return EXIT.usage;
  }
  const command = commandNamed(name);
  if (isHelpWanted(rest)) return printed(output, commandHelp(command));
  const line = commandLine(rest, [...command.options, ...COMMON_OPTIONS]);
  return await command.run({ line, output });
}

function help([name]: readonly string[], output: Output): number {
  return printed(output, name === undefined ? programHelp(COMMANDS) : commandHelp(commandNamed(name)));
}

/** Help is given also where the rest of the line is wrong. */
function isHelpWanted(args: readonly string[]): boolean {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  return own.includes("--help") || own.includes("-h");
}

function commandNamed(name: string): Command {
  const command = COMMANDS.find((candidate) => candidate.name === name);
  if (command !== undefined) return command;
  const names = COMMANDS.map((candidate) => candidate.name);
  const close = nearest(name, names);
  const what = name.startsWith("-") ? "option" : "command";
  throw new UsageError(`Cannot use ${quote(name)}: there is no such ${what}`, {
    hint: close === null ? `Commands are ${names.join(", ")}; see --help` : `Did you mean ${quote(close)}?`,
  });
}

/** Help and version that were asked for are data. */
function printed(output: Output, text: string): number {
  output.data(text);
  return EXIT.ok;
}
