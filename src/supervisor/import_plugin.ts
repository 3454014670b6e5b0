/**
 * Has a sandbox import its plugin's code, and says why it could not.
 *
 * @module
 */

import type { Bundle } from "../bundle/types.ts";
import { CordonError, LaunchError, PluginCrashedError } from "../errors.ts";
import type { ExportDescription } from "../rpc/mod.ts";
import { grantHint, startingPlaceHint } from "./add_suggestion.ts";
import type { Prepared } from "./load_generation.ts";

/**
 * Have the plugin's code imported, when a debugger is attached if it waits for one.
 *
 * @param prepared The sandbox.
 * @param signal Aborts the wait and the import.
 * @returns What the plugin exports.
 * @throws What the import rejects with, or the signal's reason.
 */
export async function tellToLoad(
  { sandbox, spec }: Prepared,
  signal: AbortSignal,
): Promise<readonly ExportDescription[]> {
  const { inspector, guest, session } = sandbox;
  if (inspector?.wait === true) {
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener("abort", () => aborted.resolve(), { once: true });
    await Promise.race([inspector.attached, guest.exited, aborted.promise]);
    signal.throwIfAborted();
  }
  return await session.load(spec, { signal });
}

const SLOW =
  "Raise startupTimeoutMs, or move what takes so long from the top level of its modules into a function";

/**
 * Why an import failed, as an error. Kills what hangs.
 *
 * @param error What the load rejected with.
 * @param prepared The sandbox.
 * @param name The plugin.
 * @param timeoutMs The bound that passed, if that is why.
 * @returns The error to throw.
 */
export async function importFailure(
  error: unknown,
  { sandbox, bundle, rewrite }: Prepared,
  name: string,
  timeoutMs: number | null,
): Promise<LaunchError> {
  if (timeoutMs !== null) sandbox.guest.kill("handshake-timeout");
  const isDead = timeoutMs !== null || error instanceof PluginCrashedError;
  const exit = isDead ? await sandbox.guest.exited : null;
  const why = timeoutMs !== null
    ? `it was not ready within ${timeoutMs} ms`
    : exit !== null
    ? `its process ended (${exit.signal ?? `exit code ${exit.exitCode}`})`
    : error instanceof Error
    ? `${error.name}: ${error.message}`
    : String(error);
  return new LaunchError(`Cannot import plugin "${name}": ${why}`, {
    stage: "import",
    reason: exit?.reason ?? null,
    exitCode: exit?.exitCode ?? null,
    signal: exit?.signal ?? null,
    stderrTail: rewrite(sandbox.guest.stderrTail()),
    hint: (error instanceof CordonError ? error.hint : undefined) ?? grantHint(error) ??
      startingPlaceHint(error, sandbox.policy) ?? (timeoutMs === null ? warningHint(bundle) : SLOW),
    cause: error,
  });
}

/** What was noticed when the code was prepared is the likely reason, if there is no better one. */
function warningHint({ warnings, dependencies }: Bundle): string | undefined {
  const kinds = [/native add-on/, /\brequire\b/, /./];
  const first = kinds.map((kind) => warnings.find((warning) => kind.test(warning))).find((one) =>
    one !== undefined
  );
  if (first === undefined || dependencies !== undefined || /native/.test(first)) return first;
  return `Load it with bundle: false, which keeps modules as they are. ${first}`;
}
