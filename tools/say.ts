/**
 * Prints lines for the programs in this directory.
 *
 * @module
 */

/**
 * Print a line for a person, on standard error.
 *
 * @param line Text without its line feed.
 */
export function say(line: string): void {
  writeAll(Deno.stderr, new TextEncoder().encode(`${line}\n`));
}

/**
 * Print a line of the result, on standard output.
 *
 * @param line Text without its line feed.
 */
export function print(line: string): void {
  writeAll(Deno.stdout, new TextEncoder().encode(`${line}\n`));
}

/**
 * Write every byte: a pipe may take fewer at once.
 *
 * @param stream Where to.
 * @param bytes What.
 */
export function writeAll(stream: { writeSync(bytes: Uint8Array): number }, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += stream.writeSync(bytes.subarray(written));
}
