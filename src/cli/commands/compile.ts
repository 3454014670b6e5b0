/**
 * `cordon compile`: a host's program as one executable.
 *
 * @module
 */

import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { quote } from "../../util/quote.ts";
import type { Command, CommandContext } from "../command.ts";
import { optionValue, refuseSurplus } from "../command_line.ts";
import { entryModule, isRemote } from "../entry_module.ts";
import { EXIT } from "../exit_code.ts";
import { UsageError } from "../usage_error.ts";

/** The command. */
export const compileCommand: Command = {
  name: "compile",
  summary: "Turn a host's program into one executable that needs no Deno",
  usage: "[options] <program>",
  options: [
    { name: "output", short: "o", value: "required", valueName: "FILE", summary: "Where to write it" },
    {
      name: "config",
      value: "required",
      valueName: "FILE",
      summary: "Another deno.json than the program's own",
    },
  ],
  examples: [
    ["cordon compile host.ts -o app", "The runtime, the program and the bundler in one file"],
    ["cordon compile --config=deno.release.json --output=dist/app host.ts", "With an import map of its own"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  refuseSurplus(line, "compile", 1);
  const entry = await entryModule(line.positionals[0], "compile");
  const target = optionValue(line, "output");
  if (target === undefined) {
    throw new UsageError("Cannot compile without knowing where to", { hint: "Write --output=FILE" });
  }
  if (isRemote(entry)) {
    throw new UsageError("Cannot compile a remote program", { hint: "Import it from a file of your own" });
  }
  await preparePlace(resolve(target));
  const config = optionValue(line, "config");
  const { compileExecutable } = await import("../executable/compile_executable.ts");
  const path = entry.startsWith("file:") ? fileURLToPath(entry) : resolve(entry);
  const bytes = await compileExecutable({
    entry: path,
    output: resolve(target),
    config: config === undefined ? undefined : resolve(config),
  });
  output.note(`Wrote ${resolve(target)}: ${Math.round(bytes / 1e6)} MB`);
  if (output.isJson) output.data(JSON.stringify({ path: resolve(target), bytes }));
  return EXIT.ok;
}

/** Before the work of seconds that would be lost: somebody else's directory, or one in place of the file. */
async function preparePlace(path: string): Promise<void> {
  try {
    await Deno.mkdir(dirname(path), { recursive: true });
    const { isDirectory } = await Deno.stat(path);
    if (isDirectory) throw new Deno.errors.IsADirectory("it is a directory");
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    const state = error instanceof Error ? error.message : String(error);
    throw new UsageError(`Cannot write ${quote(path)}: ${state}`, {
      hint: "Write another --output=FILE",
      cause: error,
    });
  }
}
