/**
 * `cordon run`: a script behind every layer, with this terminal's input and output.
 *
 * @module
 */

import { askPerson } from "../ask_person.ts";
import type { Command, CommandContext } from "../command.ts";
import { hasOption } from "../command_line.ts";
import { PLUGIN_OPTIONS } from "../plugin_flags.ts";
import { runToEnd } from "../run_to_end.ts";

/** The command. */
export const runCommand: Command = {
  name: "run",
  summary: "Run a script as deno run does, but behind every layer",
  usage: "[options] <script> [-- arguments for the script]",
  options: [
    ...PLUGIN_OPTIONS,
    { name: "ask", value: "none", summary: "Ask at the terminal for what is not granted" },
  ],
  examples: [
    ["cordon run script.ts -- a b c", "No files, no network, no variables; three arguments"],
    ["cordon run --allow-read=./data --allow-net=api.example.com script.ts", "One directory, one host"],
    ["cordon run --memory=128MiB --timeout=30s script.ts", "With bounds"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  return await runToEnd(line, "run", hasOption(line, "ask") ? { onPermission: askPerson(output) } : {});
}
