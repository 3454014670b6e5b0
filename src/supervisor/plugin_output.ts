/**
 * Shows what plugins print: the only place of the supervisor that writes to standard error.
 *
 * @module
 */

import type { OutputOption } from "../config/types.ts";
import { cleanText } from "../util/clean_text.ts";
import type { HostHooks } from "./host_events.ts";
import { OutputLines } from "./output_lines.ts";

/** Deno says so at each start; whoever asked for a broker knows. */
const BROKER_WARNING = "Warning Permission broker is an experimental feature";

/** Where lines come from and go to. */
export interface PluginOutputSetup {
  /** Name of the plugin. */
  readonly name: string;
  readonly output: OutputOption;
  readonly hooks: HostHooks;
  /** Positions in the bundle → positions in the sources. */
  readonly rewrite: (line: string) => string;
  /** Where `"inherit"` writes. @default standard error */
  readonly stderr?: { writeSync(bytes: Uint8Array): number };
}

/** Takes what one process of a plugin prints. */
export class PluginOutput {
  readonly #setup: PluginOutputSetup;
  readonly #lines = new OutputLines((line, stream) => this.#tell(line, stream));

  /** @param setup Where lines come from and go to. */
  constructor(setup: PluginOutputSetup) {
    this.#setup = setup;
  }

  /** Takes bytes; see {@linkcode OutputLines.push}. */
  readonly push = (stream: "stdout" | "stderr", chunk: Uint8Array): void => {
    const { output, hooks } = this.#setup;
    if (output !== "ignore" || hooks.has("output")) this.#lines.push(stream, chunk);
  };

  /** Nothing more is printed. */
  end(): void {
    this.#lines.end();
  }

  #tell(printed: string, stream: "stdout" | "stderr"): void {
    const { name, output, hooks, rewrite } = this.#setup;
    if (printed === BROKER_WARNING) return;
    const line = rewrite(printed);
    if (hooks.has("output")) hooks.emit("output", { plugin: name, stream, line: cleaned(line) });
    if (output === "inherit") this.#write(`[${name}] ${cleaned(line)}\n`);
    else if (output !== "ignore") tellHost(hooks, output, line, stream);
  }

  #write(text: string): void {
    const { hooks, stderr = Deno.stderr } = this.#setup;
    const bytes = new TextEncoder().encode(text);
    try {
      for (let written = 0; written < bytes.length;) written += stderr.writeSync(bytes.subarray(written));
    } catch (error) {
      // A host whose own standard error is closed or full goes on without these lines.
      hooks.emit("listener-error", { event: "output", error });
    }
  }
}

/** A plugin can neither move the cursor nor forge a line; its tabs stay. */
function cleaned(line: string): string {
  return line.split("\t").map((part) => cleanText(part, Infinity)).join("\t");
}

function tellHost(
  hooks: HostHooks,
  output: (line: string, stream: "stdout" | "stderr") => void,
  line: string,
  stream: "stdout" | "stderr",
): void {
  try {
    output(line, stream);
  } catch (error) {
    hooks.emit("listener-error", { event: "output", error });
  }
}
