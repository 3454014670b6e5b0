/**
 * Writes every event to a file, one line of JSON each.
 *
 * @module
 */

import { jsonLine } from "./json_line.ts";
import type { Sink } from "./types.ts";

/** How to write a trace. */
export interface TraceSinkOptions {
  /** Bytes after which nothing more is written. @default 256 MiB */
  readonly maxBytes?: number;
}

/** A trace in a file. Disposing writes what is left and closes the file. */
export interface TraceSink extends Sink, Disposable {
  /** Events that were not written: the file was full, or writing failed. */
  readonly dropped: number;
}

const DEFAULT_MAX_BYTES = 256 * 2 ** 20;
/** Lines are collected up to here, so that a trace costs no system call for each event. */
const BUFFERED_CHARACTERS = 32_768;

/**
 * Open a trace. An existing file is continued, and a new one is readable for its owner only: traces hold what plugins
 * were called with.
 *
 * @param path Path of the file.
 * @param options Bound on its growth.
 * @returns The sink. The caller disposes it; what was buffered when the process is killed is lost.
 * @throws {Deno.errors.PermissionDenied} If the file cannot be written.
 *
 * @example
 * ```ts
 * import { traceSink } from "./trace_sink.ts";
 * import { match } from "node:assert/strict";
 *
 * const path = await Deno.makeTempFile();
 * {
 *   using trace = traceSink(path); // among the `sinks` of createHost()
 *   trace.emit({ at: 0, plugin: "adder", kind: "ready", fields: { pid: 7 } });
 * }
 * match(await Deno.readTextFile(path), /"kind":"ready"/);
 * await Deno.remove(path);
 * ```
 */
export function traceSink(path: string, options: TraceSinkOptions = {}): TraceSink {
  const { maxBytes = DEFAULT_MAX_BYTES } = options;
  const file = Deno.openSync(path, { append: true, create: true, mode: 0o600 });
  let buffer: string[] = [];
  let characters = 0;
  let bytes = 0;
  let dropped = 0;
  let isClosed = false;
  const flush = (): void => {
    const chunk = new TextEncoder().encode(buffer.join(""));
    const count = buffer.length;
    [buffer, characters] = [[], 0];
    if (bytes + chunk.length > maxBytes || !writeAll(file, chunk)) dropped += count;
    else bytes += chunk.length;
  };
  return {
    get dropped() {
      return dropped;
    },
    emit(event) {
      if (isClosed) return void dropped++;
      const line = `${jsonLine(event)}\n`;
      buffer.push(line);
      characters += line.length;
      if (characters >= BUFFERED_CHARACTERS) flush();
    },
    [Symbol.dispose]() {
      if (isClosed) return;
      isClosed = true;
      flush();
      file.close();
    },
  };
}

/** @returns Whether everything was written; a full disk ends the trace, not the host. */
function writeAll(file: Deno.FsFile, chunk: Uint8Array): boolean {
  try {
    for (let written = 0; written < chunk.length;) written += file.writeSync(chunk.subarray(written));
    return true;
  } catch (error) {
    if (error instanceof Error) return false;
    throw error;
  }
}
