/** A plugin to play with: it computes, waits, remembers, crashes and never comes back, as it is told. */

let calls = 0;

/** The square of a number. */
export function square(value: number): number {
  calls++;
  return value * value;
}

/** Waits, and says for how long. */
export async function rest(ms: number): Promise<number> {
  calls++;
  await new Promise((resolve) => setTimeout(resolve, ms));
  return ms;
}

/** How often anything was called in this process. */
export function callsSoFar(): number {
  return calls;
}

/** Ends the process at once. */
export function crash(code: number): void {
  Deno.exit(code);
}

/** Never returns, and never yields. */
export function spin(): void {
  for (;;);
}

/** What a file says, if it may be read. */
export function read(path: string): string {
  return Deno.readTextFileSync(path);
}

/** What the next version of this module shall know. */
export function saveState(): number {
  return calls;
}

/** Takes over from the version before. */
export function restoreState(state: number): void {
  calls = state;
}
