/**
 * `cordon run`: a script behind every layer, with this terminal's input and output.
 *
 * @module
 */

import type { ScriptResult } from "../../supervisor/types.ts";
import type { Command, CommandContext } from "../command.ts";
import { entryModule } from "../entry_module.ts";
import { EXIT } from "../exit_code.ts";
import { hostOptions, loadOptions, PLUGIN_OPTIONS, timeoutMs } from "../plugin_flags.ts";
import { ENDING_SIGNALS, endingSignals, signalNumber } from "../signals.ts";

/** The command. */
export const runCommand: Command = {
  name: "run",
  summary: "Run a script as deno run does, but behind every layer",
  usage: "[options] <script> [-- arguments for the script]",
  options: PLUGIN_OPTIONS,
  examples: [
    ["cordon run script.ts -- a b c", "No files, no network, no variables; three arguments"],
    ["cordon run --allow-read=./data --allow-net=api.example.com script.ts", "One directory, one host"],
    ["cordon run --memory=128MiB --timeout=30s script.ts", "With bounds"],
  ],
  run,
};

async function run({ line }: CommandContext): Promise<number> {
  const [script, ...more] = line.positionals;
  const entry = await entryModule(script, "run");
  const limitMs = timeoutMs(line);
  const { createHost } = await import("../../supervisor/host.ts");
  using ending = endingSignals();
  const timeout = limitMs === null ? null : AbortSignal.timeout(limitMs);
  await using host = await createHost(hostOptions(line));
  try {
    const result = await host.run(entry, {
      ...loadOptions(line),
      args: [...more, ...line.rest],
      forwardSignals: ENDING_SIGNALS,
      ...(timeout === null ? {} : { signal: timeout }),
    });
    return hasEndedItself(result) ? result.code : interrupted(ending.received, timeout) ?? result.code;
  } catch (error) {
    const code = interrupted(ending.received, timeout);
    if (code !== null) return code;
    throw error;
  }
}

/** A script that listens to signals ends as it likes, with an exit code of its own. */
function hasEndedItself({ reason }: ScriptResult): boolean {
  return reason !== "killed-by-host";
}

function interrupted(received: Deno.Signal | null, timeout: AbortSignal | null): number | null {
  if (received !== null) return 128 + signalNumber(received);
  return timeout?.aborted === true ? EXIT.timeout : null;
}
