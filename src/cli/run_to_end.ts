/**
 * Runs a script to its end, with the signals and the time limit of the command line.
 *
 * @module
 */

import type { RunOptions, ScriptResult } from "../supervisor/types.ts";
import { ENDING_SIGNALS, signalExitCode } from "../util/signals.ts";
import type { CommandLine } from "./command_line.ts";
import { entryModule } from "./entry_module.ts";
import { EXIT } from "./exit_code.ts";
import { hostOptions, loadOptions, timeoutMs } from "./plugin_flags.ts";
import { endingSignals } from "./signals.ts";

/**
 * Run the script that a command line names.
 *
 * @param line The parsed command line: the script, then its arguments.
 * @param command Name of the command, for messages.
 * @param more Options besides those of the command line; they win.
 * @returns The exit code for the program.
 * @throws As `Host.run()`.
 */
export async function runToEnd(line: CommandLine, command: string, more: RunOptions = {}): Promise<number> {
  const [script, ...args] = line.positionals;
  const entry = await entryModule(script, command);
  const limitMs = timeoutMs(line);
  const { createHost } = await import("../supervisor/host.ts");
  using ending = endingSignals();
  const timeout = limitMs === null ? null : AbortSignal.timeout(limitMs);
  await using host = await createHost(hostOptions(line));
  try {
    const result = await host.run(entry, {
      ...loadOptions(line),
      args: [...args, ...line.rest],
      forwardSignals: ENDING_SIGNALS,
      ...(timeout === null ? {} : { signal: timeout }),
      ...more,
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
  if (received !== null) return signalExitCode(received);
  return timeout?.aborted === true ? EXIT.timeout : null;
}
