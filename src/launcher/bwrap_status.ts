/**
 * What bubblewrap says about a sandbox on its status descriptor.
 *
 * @module
 */

/** Facts that bubblewrap has reported so far. */
export interface BwrapStatus {
  /** Pid of the sandbox's first process as the host sees it; null until bubblewrap has started it. */
  readonly childPid: number | null;
  /** The command's exit code. Present only if the command was really executed. */
  readonly exitCode: number | null;
  /** How the kernel saw the sandbox's first process end, as wait(2) tells it. From the guard, and only newer kernels tell. */
  readonly waitStatus: number | null;
}

/** Parses the stream of JSON documents, one a line, that `--json-status-fd` carries. */
export class BwrapStatusReader {
  readonly #decoder = new TextDecoder();
  #rest = "";
  #status: BwrapStatus = { childPid: null, exitCode: null, waitStatus: null };

  /** @returns What has been reported so far. */
  get status(): BwrapStatus {
    return this.#status;
  }

  /**
   * Take the next chunk.
   *
   * @param chunk Bytes as they arrived, cut anywhere.
   * @returns What has been reported so far.
   */
  push(chunk: Uint8Array): BwrapStatus {
    const lines = (this.#rest + this.#decoder.decode(chunk, { stream: true })).split("\n");
    this.#rest = lines.pop() ?? "";
    for (const line of lines) this.#take(documentIn(line));
    return this.#status;
  }

  #take(document: Record<string, unknown>): void {
    const childPid = document["child-pid"];
    const exitCode = document["exit-code"];
    if (typeof childPid === "number") this.#status = { ...this.#status, childPid };
    if (typeof exitCode === "number") this.#status = { ...this.#status, exitCode };
    const waitStatus = document["wait-status"];
    // The guard looks for bubblewrap's child by itself: it must have found the same one.
    if (typeof waitStatus === "number" && document["witnessed-pid"] === this.#status.childPid) {
      this.#status = { ...this.#status, waitStatus };
    }
  }
}

/** Bubblewrap writes a line in pieces: one that is killed meanwhile leaves half of it, and the guard's comes right behind. */
function documentIn(line: string): Record<string, unknown> {
  try {
    return JSON.parse(line);
  } catch (error) {
    if (error instanceof SyntaxError) return {};
    throw error;
  }
}
