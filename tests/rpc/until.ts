/**
 * Waits for something that has no promise.
 *
 * @module
 */

/**
 * Poll until a condition holds.
 *
 * @param holds The condition.
 * @param nudge Done before every look.
 * @returns When it holds.
 * @throws {Error} If it does not within a minute.
 */
export async function until(holds: () => boolean, nudge: () => void = () => {}): Promise<void> {
  const deadline = performance.now() + 60_000;
  for (nudge(); !holds(); nudge()) {
    if (performance.now() > deadline) throw new Error(`The condition did not come to hold: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
