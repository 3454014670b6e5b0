/**
 * Parses what `host.run()` takes besides the options of `host.load()`.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { signalNumber } from "../util/signals.ts";
import { invalid, list, object, takeOut, text } from "./parse.ts";

/** What a script is run with. */
export interface RunConfig {
  /** Its arguments. */
  readonly args: readonly string[];
  /** Signals of this process that it gets. */
  readonly forwardSignals: readonly Deno.Signal[];
}

const shape = Object.freeze({ args: words, forwardSignals: list(signal) });

/** Names of the options that belong to the run. */
export const runKeys: readonly string[] = Object.freeze(Object.keys(shape));

/**
 * Tells the options of a run from those of a load.
 *
 * @param options What the caller passed.
 * @returns The options of the run, frozen, every default applied; and what `loadConfig()` is to read.
 * @throws {ConfigError} If a value does not follow its rule.
 *
 * @example
 * ```ts
 * import { runConfig } from "./run_config.ts";
 *
 * const { run, load } = runConfig({ args: ["a"], name: "b" }); // { args: ["a"], forwardSignals: [] }, { name: "b" }
 * ```
 */
export function runConfig(
  options: unknown,
): { readonly run: RunConfig; readonly load: Readonly<Record<string, unknown>> } {
  const { taken, rest } = takeOut(options, runKeys);
  const { args, forwardSignals } = object(taken, "", shape);
  return {
    run: Object.freeze({
      args: args ?? Object.freeze([]),
      forwardSignals: forwardSignals ?? Object.freeze([]),
    }),
    load: rest,
  };
}

/** Unlike in other lists, the same may stand there twice. */
function words(value: unknown, path: string): readonly string[] {
  if (!Array.isArray(value)) throw invalid(path, "a list of arguments", `it is ${quote(value)}`);
  const word = text("an argument", /^[^\0]*$/);
  return Object.freeze(value.map((one, index) => word(one, `${path}[${index}]`)));
}

/** Nobody hears of the two that cannot be caught. */
function signal(value: unknown, path: string): Deno.Signal {
  const isKnown = typeof value === "string" && signalNumber(value) !== null;
  if (isKnown && value !== "SIGKILL" && value !== "SIGSTOP") return value as Deno.Signal;
  throw invalid(path, "the name of a signal that can be caught", `it is ${quote(value)}`);
}
