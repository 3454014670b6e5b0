/**
 * `cordon call`: one export of a plugin, with JSON arguments.
 *
 * @module
 */

import { nearest } from "../../util/nearest.ts";
import { quote } from "../../util/quote.ts";
import { signalExitCode } from "../../util/signals.ts";
import type { Command, CommandContext } from "../command.ts";
import { entryModule } from "../entry_module.ts";
import { reportError } from "../error_report.ts";
import { EXIT, pluginExitCode } from "../exit_code.ts";
import { jsonLine } from "../json_value.ts";
import type { Output } from "../output.ts";
import { hostOptions, loadOptions, PLUGIN_OPTIONS, timeoutMs } from "../plugin_flags.ts";
import { endingSignals } from "../signals.ts";
import { UsageError } from "../usage_error.ts";

/** The command. */
export const callCommand: Command = {
  name: "call",
  summary: "Load a plugin, call one of its exports and print what it returns",
  usage: "[options] <plugin> <export> [JSON argument…]",
  options: PLUGIN_OPTIONS,
  examples: [
    ["cordon call plugin.ts greet '\"you\"'", "A string is JSON too: mind the quotes"],
    ["cordon call plugin.ts resize '[1,2,3]' --json", "One argument, an array; the result as JSON"],
    ["cordon call plugin.ts rows --json", "A generator prints one line for each item"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  const [module, name, ...words] = line.positionals;
  const entry = await entryModule(module, "call");
  if (name === undefined) {
    throw new UsageError("Cannot call a plugin without the name of an export", {
      hint: "See cordon call --help",
    });
  }
  const args = [...words, ...line.rest].map(jsonArgument);
  const limitMs = timeoutMs(line);
  const { createHost } = await import("../../supervisor/host.ts");
  using ending = endingSignals();
  await using host = await createHost(hostOptions(line));
  try {
    await using plugin = await host.load(entry, { ...loadOptions(line), signal: ending.signal });
    const onProgress = (value: unknown): void => output.note(`progress: ${Deno.inspect(value)}`);
    const api = plugin.with({
      signal: ending.signal,
      onProgress,
      ...(limitMs === null ? {} : { timeoutMs: limitMs }),
    });
    const method = exported(api, name);
    return await call(method, args, output);
  } catch (error) {
    if (ending.received !== null) return signalExitCode(ending.received);
    throw error;
  }
}

async function call(
  method: (...args: unknown[]) => unknown,
  args: readonly unknown[],
  output: Output,
): Promise<number> {
  try {
    const result = method(...args);
    if (isAsyncIterable(result)) { for await (const item of result) output.data(shown(item, output)); }
    else {
      const value = await result;
      if (output.isJson || value !== undefined) output.data(shown(value, output));
    }
    return EXIT.ok;
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe || isAbort(error)) throw error;
    reportError(error, output, "plugin");
    return pluginExitCode(error);
  }
}

function jsonArgument(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new UsageError(`Cannot read the argument ${quote(text)} as it is not JSON`, {
      hint: /^[\w .:/-]+$/.test(text) ? `For a string write '"${text}"'` : "Quote it for your shell",
      cause: error,
    });
  }
}

/** `a.b` is a member of an exported object. */
function exported(api: object, name: string): (...args: unknown[]) => unknown {
  let current: unknown = api;
  for (const part of name.split(".")) {
    if (typeof current !== "object" || current === null || !(part in current)) throw noExport(name, api);
    current = Reflect.get(current, part);
  }
  if (typeof current === "function") return current as (...args: unknown[]) => unknown;
  return () => current;
}

function noExport(name: string, api: object): UsageError {
  const names = exportNames(api);
  const close = nearest(name, names);
  const all = names.length === 0 ? "The plugin exports nothing" : `The plugin exports ${names.join(", ")}`;
  return new UsageError(`Cannot call ${quote(name)}: the plugin has no such export`, {
    hint: close === null ? all : `Did you mean ${quote(close)}? ${all}`,
  });
}

/** Members of objects as they are written on the command line. */
function exportNames(api: object): string[] {
  return Object.entries(api).flatMap(([name, value]) =>
    isRemoteObject(value) ? exportNames(value).map((member) => `${name}.${member}`) : [name]
  );
}

/** Plain values have a prototype, null is none; what has members to call has neither. */
function isRemoteObject(value: unknown): value is object {
  return typeof value === "object" && value !== null && Object.getPrototypeOf(value) === null;
}

function shown(value: unknown, { isJson }: Output): string {
  if (isJson) return jsonLine(value);
  return typeof value === "string" ? value : Deno.inspect(value, { colors: false, depth: 8 });
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
