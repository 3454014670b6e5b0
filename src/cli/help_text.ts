/**
 * Writes the help texts.
 *
 * @module
 */

import { type Command, COMMON_OPTIONS, type OptionSpec } from "./command.ts";

const COLUMN = 26;

/**
 * Help for the whole program.
 *
 * @param commands Every command.
 * @returns Text without a last line feed.
 */
export function programHelp(commands: readonly Command[]): string {
  return [
    "Run code that you do not fully trust, behind every layer there is.",
    "",
    "Usage: cordon <command> [options]",
    "",
    "Commands:",
    ...commands.map(({ name, summary }) => row(name, summary)),
    "",
    "Options:",
    ...COMMON_OPTIONS.map(optionRow),
    row("    --version", "Print the version"),
    "",
    "Examples:",
    ...commands.flatMap(({ examples }) => examples.slice(0, 1)).flatMap(exampleRows),
    "",
    "Exit codes: 0 ok, 1 the plugin threw, 64 usage, 66 no such file, 69 no sandbox on this machine, 70 a mistake of",
    "Cordon's, 75 saturated, 77 denied, 78 bad configuration, 124 timeout, 128 + n ended by signal n.",
    "For one command: cordon <command> --help",
  ].join("\n");
}

/**
 * Help for one command.
 *
 * @param command The command.
 * @returns Text without a last line feed.
 */
export function commandHelp({ name, summary, usage, options, examples }: Command): string {
  return [
    `${summary}.`,
    "",
    `Usage: cordon ${name} ${usage}`,
    "",
    "Options:",
    ...[...options, ...COMMON_OPTIONS].map(optionRow),
    "",
    "Examples:",
    ...examples.flatMap(exampleRows),
  ].join("\n");
}

function optionRow({ name, short, value, valueName = "VALUE", summary }: OptionSpec): string {
  const suffix = { none: "", optional: `[=${valueName}]`, required: `=${valueName}` }[value];
  return row(`${short === undefined ? "    " : `-${short}, `}--${name}${suffix}`, summary);
}

function row(left: string, right: string): string {
  const gap = left.length < COLUMN ? " ".repeat(COLUMN - left.length) : " ";
  return `  ${left}${gap}${right}`;
}

function exampleRows([command, remark]: readonly [string, string]): readonly string[] {
  return [`  ${command}`, `      ${remark}`];
}
