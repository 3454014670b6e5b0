/**
 * How the demo talks.
 *
 * @module
 */

// deno-lint-ignore-file no-console

type Colour = "bold" | "dim" | "green" | "red" | "cyan";

const CODES: Readonly<Record<Colour, readonly [on: number, off: number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  green: [32, 39],
  red: [31, 39],
  cyan: [36, 39],
};

/** Text in a colour, if the reader wants colours. */
export function paint(colour: Colour, text: string): string {
  const [on, off] = CODES[colour];
  return Deno.noColor || !Deno.stdout.isTerminal() ? text : `\x1b[${on}m${text}\x1b[${off}m`;
}

/** Opens a chapter of the story. */
export function chapter(title: string, text: string): void {
  console.log(`\n${paint("bold", paint("cyan", title))}\n${paint("dim", text)}\n`);
}

/** One line of it. */
export function say(text: string): void {
  console.log(`  ${text}`);
}

/** Lines whose columns stand below each other. The last column is as wide as it likes. */
export function table(rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length))
  );
  for (const [index, row] of rows.entries()) {
    const cells = row.map((cell, column) =>
      column === row.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)
    );
    say(index === 0 ? paint("dim", cells.join("   ")) : cells.join("   "));
  }
}

/** Milliseconds for people. */
export function ms(value: number): string {
  return value < 10 ? `${value.toFixed(2)} ms` : `${value.toFixed(0)} ms`;
}
