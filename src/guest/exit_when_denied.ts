/**
 * Tells by the exit code that a script died of a permission that it does not have.
 *
 * @module
 */

/** EX_NOPERM of sysexits.h, which `cordon` uses for everything that was denied. */
const EXIT_DENIED = 77;

/**
 * An error of a missing permission that nobody catches ends the process with 77 instead of 1. Must be called after the
 * script was imported, so that what the script itself listens to comes first.
 */
export function exitWhenDenied(): void {
  const exit = Deno.exit;
  const end = (event: Event, error: unknown, what: string): void => {
    if (event.defaultPrevented || !(error instanceof Deno.errors.NotCapable)) return;
    const text = `error: Uncaught ${what}${Deno.inspect(error, { colors: false })}\n`;
    Deno.stderr.writeSync(new TextEncoder().encode(text));
    exit(EXIT_DENIED);
  };
  globalThis.addEventListener(
    "unhandledrejection",
    (event) => end(event, event.reason, "(in promise) "),
  );
  globalThis.addEventListener("error", (event) => end(event, event.error, ""));
}
