/**
 * Keeps a sandbox's /tmp from being filled with empty files: its size bounds bytes, every file costs the kernel memory.
 *
 * @module
 */

import { unlessGone } from "../util/no_such_process.ts";
import { statfsSync } from "node:fs";

const PERIOD_MS = 50;

/** Counts the files of one sandbox's scratch space until it is disposed. */
export class ScratchWatch implements Disposable {
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * @param pid A process in the sandbox, as the host sees it.
   * @param maxFiles How many files and directories there may be.
   * @param onExceeded Called at most once.
   */
  constructor(pid: number, maxFiles: number, onExceeded: () => void) {
    this.#timer = setInterval(() => {
      const count = fileCount(pid);
      if (count !== null && count <= maxFiles) return;
      this[Symbol.dispose]();
      if (count !== null) onExceeded();
    }, PERIOD_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Stop counting. Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

/** Null when the sandbox is gone. */
function fileCount(pid: number): number | null {
  return unlessGone(() => {
    const { files, ffree } = statfsSync(`/proc/${pid}/root/tmp`);
    return files - ffree;
  });
}
