/**
 * The only place that prints: data to standard output, words for people to standard error.
 *
 * @module
 */

/** Colours, or nothing where there are none. */
export interface Style {
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
}

/** Where a command prints. */
export interface Output {
  /** `--json` was given. */
  readonly isJson: boolean;
  /** Style for standard error. */
  readonly style: Style;
  /** Print a line of data, on standard output. */
  data(line: string): void;
  /** Print a line for a person, on standard error. */
  note(line: string): void;
}

/** What an output writes to. */
export interface OutputTarget {
  writeSync(bytes: Uint8Array): number;
  isTerminal(): boolean;
}

/** How to print. */
export interface OutputOptions {
  readonly isJson: boolean;
  readonly stdout?: OutputTarget;
  readonly stderr?: OutputTarget;
  /** Colours are not wanted (NO_COLOR). @default what Deno found in the environment */
  readonly noColor?: boolean;
}

/**
 * Open the output of a command.
 *
 * @param options Format and streams.
 * @returns The output. Nothing has to be closed.
 */
export function openOutput(options: OutputOptions): Output {
  const { isJson, stdout = Deno.stdout, stderr = Deno.stderr, noColor = Deno.noColor } = options;
  const isColored = !noColor && !isJson && stderr.isTerminal();
  return {
    isJson,
    style: style(isColored),
    data: (line) => writeLine(stdout, line),
    note: (line) => writeLine(stderr, line),
  };
}

function style(isColored: boolean): Style {
  const paint = (code: number) => (text: string): string => isColored ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: paint(1), dim: paint(2), red: paint(31), green: paint(32), yellow: paint(33) };
}

function writeLine(target: OutputTarget, line: string): void {
  const bytes = new TextEncoder().encode(`${line}\n`);
  for (let written = 0; written < bytes.length;) written += target.writeSync(bytes.subarray(written));
}
