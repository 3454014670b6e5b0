/**
 * Runs a script behind every layer, with the host's stdin, stdout and stderr.
 *
 * @module
 */

import { PluginCrashedError } from "../errors.ts";
import { signalExitCode } from "../util/signals.ts";
import { handedOnExit } from "./handed_on_exit.ts";
import { importFailure, tellToLoad } from "./import_plugin.ts";
import { prepareGeneration } from "./load_generation.ts";
import type { GenerationRequest, Prepared } from "./load_generation.ts";
import { SignalForwarder } from "./signal_forwarder.ts";
import type { ScriptResult } from "./types.ts";

/**
 * Run a script to its end.
 *
 * @param request What to run; `isScript` is set.
 * @returns How it ended.
 * @throws As `Host.run()`.
 */
export async function runScript(request: GenerationRequest): Promise<ScriptResult> {
  using forwarder = new SignalForwarder(request.forwardSignals ?? []);
  const signals = request.signal === undefined ? [forwarder.signal] : [request.signal, forwarder.signal];
  await using prepared = await prepareGeneration({ ...request, signal: AbortSignal.any(signals) });
  const { guest } = prepared.sandbox;
  forwarder.attach(guest);
  const abort = (): void => guest.kill("killed-by-host");
  request.signal?.addEventListener("abort", abort, { once: true });
  try {
    const [report] = await Promise.all([guest.exited, importScript(prepared, request)]);
    const exit = handedOnExit(report, forwarder.handedOn);
    return { ...exit, code: exit.exitCode ?? signalExitCode(exit.signal ?? "") };
  } finally {
    request.signal?.removeEventListener("abort", abort);
  }
}

/** A script may end while it is being imported: that is an exit like any other. What it throws is not. */
async function importScript(prepared: Prepared, { config }: GenerationRequest): Promise<void> {
  const { guest } = prepared.sandbox;
  try {
    await tellToLoad(prepared, new AbortController().signal);
  } catch (error) {
    if (error instanceof PluginCrashedError) return;
    const failure = await importFailure(error, prepared, config.name, null);
    guest.kill("killed-by-host");
    throw failure;
  }
}
