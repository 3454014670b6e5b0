/**
 * Parses the arguments of one command, strictly.
 *
 * @module
 */

import { parseArgs } from "node:util";
import { nearest } from "../util/nearest.ts";
import { quote } from "../util/quote.ts";
import type { OptionSpec } from "./command.ts";
import { UsageError } from "./usage_error.ts";

/** A parsed command line. */
export interface CommandLine {
  /** Arguments that are no options, up to `--`. */
  readonly positionals: readonly string[];
  /** Everything after `--`, as it was written. */
  readonly rest: readonly string[];
  /** Every value given to an option, in order; `true` stands for the option without a value. */
  readonly values: ReadonlyMap<string, readonly (string | true)[]>;
}

/**
 * Parse the arguments of a command.
 *
 * @param args Arguments after the command's name.
 * @param options Options that the command knows.
 * @returns The parsed line.
 * @throws {UsageError} If an option is unknown, lacks its value or has one too many.
 */
export function commandLine(args: readonly string[], options: readonly OptionSpec[]): CommandLine {
  const end = args.indexOf("--");
  const own = end === -1 ? args : args.slice(0, end);
  const { tokens } = parseArgs({
    args: [...own],
    strict: false,
    allowPositionals: true,
    tokens: true,
    options: Object.fromEntries(options.map(({ name, short, value }) => [name, {
      type: value === "required" ? "string" : "boolean",
      ...(short === undefined ? {} : { short }),
    }])),
  });
  const values = new Map<string, (string | true)[]>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = options.find(({ name }) => name === token.name) ??
      unknown(token.rawName, options, end !== -1);
    values.set(option.name, [...values.get(option.name) ?? [], valueOf(option, token.value)]);
  }
  return { positionals, rest: end === -1 ? [] : args.slice(end + 1), values };
}

/**
 * Whether an option was given.
 *
 * @param line The parsed line.
 * @param name Its long name.
 * @returns Whether it stands there at least once.
 */
export function hasOption(line: CommandLine, name: string): boolean {
  return line.values.has(name);
}

/**
 * The value of an option that is given at most once.
 *
 * @param line The parsed line.
 * @param name Its long name.
 * @returns The last value, or undefined.
 */
export function optionValue(line: CommandLine, name: string): string | undefined {
  const last = line.values.get(name)?.at(-1);
  return typeof last === "string" ? last : undefined;
}

/**
 * Refuse arguments that nothing would heed.
 *
 * @param line The parsed line.
 * @param command Name of the command, for the message.
 * @param most How many arguments it takes.
 * @throws {UsageError} If there are more, also behind `--`.
 */
export function refuseSurplus(line: CommandLine, command: string, most: 0 | 1): void {
  const surplus = [...line.positionals, ...line.rest].at(most);
  if (surplus === undefined) return;
  const takes = most === 0 ? "no arguments" : "one argument";
  throw new UsageError(`Cannot use ${quote(surplus)}: ${command} takes ${takes}`);
}

function valueOf(option: OptionSpec, value: string | undefined): string | true {
  if (option.value === "none" && value !== undefined) {
    throw new UsageError(`Cannot take ${quote(value)} for --${option.name} as this option has no value`);
  }
  if (option.value === "required" && (value === undefined || value === "")) {
    throw new UsageError(`Cannot use --${option.name} without a value`, {
      hint: `Write --${option.name}=${option.valueName ?? "VALUE"}`,
    });
  }
  if (value === "") {
    throw new UsageError(`Cannot use --${option.name}= with an empty value`, {
      hint: `Leave the option out, or write --${option.name}=${option.valueName ?? "VALUE"}`,
    });
  }
  return value ?? true;
}

function unknown(written: string, options: readonly OptionSpec[], hasTerminator: boolean): never {
  const word = written.replace(/^-+/, "");
  const close = nearest(word, options.map(({ name }) => name));
  const passOn = hasTerminator ? "" : "; options for the script itself go after --";
  throw new UsageError(`Cannot use ${quote(written)}: there is no such option`, {
    hint: close === null ? `See --help for the options${passOn}` : `Did you mean --${close}?`,
  });
}
