/**
 * `cordon learn`: what a script needs, found out by running it.
 *
 * @module
 */

import { grantText } from "../../supervisor/learned_grant.ts";
import type { RunOptions } from "../../supervisor/types.ts";
import type { LearnedGrant } from "../../util/permission.ts";
import type { Command, CommandContext } from "../command.ts";
import { type CommandLine, hasOption } from "../command_line.ts";
import { jsonLine } from "../json_value.ts";
import type { Output } from "../output.ts";
import { loadOptions, mayPassVariable, PLUGIN_OPTIONS } from "../plugin_flags.ts";
import { runToEnd } from "../run_to_end.ts";
import { shellWord } from "../shell_word.ts";

/** The command. */
export const learnCommand: Command = {
  name: "learn",
  summary: "Run a script that may ask for anything, and print the smallest grant that covers what it did",
  usage: "[options] <script> [-- arguments for the script]",
  options: PLUGIN_OPTIONS,
  examples: [
    ["cordon learn script.ts -- a b c", "Files below the current directory are there, the network is not"],
    ["cordon learn --allow-read=/srv/data --allow-net script.ts", "With a directory and the network"],
    ["cordon learn --json script.ts", "The grant as data; what the script prints goes to standard error"],
  ],
  run,
};

async function run({ line, output }: CommandContext): Promise<number> {
  let learned: LearnedGrant | null = null;
  const learn = (grant: LearnedGrant): void => {
    learned = grant;
  };
  try {
    return await runToEnd(line, "learn", { ...learnOptions(line, output), learn });
  } finally {
    // Also what a script did before it failed is worth knowing.
    if (learned !== null) print(grantable(learned), line, output);
  }
}

/** A sandbox holds only what is mounted: without a word about files, what lies here is. */
function learnOptions(line: CommandLine, output: Output): RunOptions {
  const { permissions = {} } = loadOptions(line);
  const hasFiles = hasOption(line, "allow-read") || hasOption(line, "allow-write");
  return {
    permissions: hasFiles ? permissions : { ...permissions, read: ["."] },
    ...(output.isJson ? { output: (text: string) => output.note(text) } : {}),
  };
}

/** Variables that the host lacks need no grant, and some are never passed. */
function grantable(grant: LearnedGrant): LearnedGrant {
  const env = grant.env.filter((name) => mayPassVariable(name) && Deno.env.get(name) !== undefined);
  return { ...grant, env };
}

function print(grant: LearnedGrant, line: CommandLine, output: Output): void {
  const { refused, ...permissions } = grant;
  const flags = Object.entries(permissions)
    .filter(([, values]) => values.length > 0)
    .map(([kind, values]) => `--allow-${kind}=${values.join(",")}`);
  if (output.isJson) return output.data(jsonLine({ permissions, flags, refused }));
  output.data(grantText(grant));
  output.data(["cordon", "run", ...flags, line.positionals[0] ?? ""].map(shellWord).join(" "));
}
