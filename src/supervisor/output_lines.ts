/**
 * Cuts what a process prints into lines.
 *
 * @module
 */

/** A process that prints without end prints no line feed either. */
const MAX_LINE_CHARACTERS = 8_192;

/** Receives a line without its end. */
export type OnLine = (line: string, stream: "stdout" | "stderr") => void;

/** The lines of one process. */
export class OutputLines {
  readonly #onLine: OnLine;
  readonly #streams = { stdout: new Pending(), stderr: new Pending() };

  /** @param onLine Called with each complete line; longer ones than 8,192 characters come in parts. */
  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  /**
   * Take what was printed.
   *
   * @param stream Where to.
   * @param chunk Bytes; owned by the caller, read before this returns.
   */
  push(stream: "stdout" | "stderr", chunk: Uint8Array): void {
    const pending = this.#streams[stream];
    const lines = `${pending.text}${pending.decoder.decode(chunk, { stream: true })}`.split(/\r?\n/);
    pending.text = lines.pop() ?? "";
    for (const line of lines) this.#tell(line, stream);
    while (pending.text.length > MAX_LINE_CHARACTERS) {
      this.#onLine(pending.text.slice(0, MAX_LINE_CHARACTERS), stream);
      pending.text = pending.text.slice(MAX_LINE_CHARACTERS);
    }
  }

  /** Nothing more is printed: the last line may lack its end. */
  end(): void {
    for (const stream of ["stdout", "stderr"] as const) {
      const { text } = this.#streams[stream];
      this.#streams[stream].text = "";
      if (text !== "") this.#tell(text, stream);
    }
  }

  #tell(line: string, stream: "stdout" | "stderr"): void {
    for (let at = 0; at === 0 || at < line.length; at += MAX_LINE_CHARACTERS) {
      this.#onLine(line.slice(at, at + MAX_LINE_CHARACTERS), stream);
    }
  }
}

class Pending {
  readonly decoder = new TextDecoder();
  text = "";
}
