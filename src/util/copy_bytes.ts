/**
 * Copies a byte stream from one connection to another.
 *
 * @module
 */

const CHUNK_BYTES = 64 * 1024;

/** Where bytes come from. */
export interface ByteSource {
  /** See `Deno.Conn.read()`. */
  read(into: Uint8Array): Promise<number | null>;
}

/** Where bytes go to. */
export interface ByteSink {
  /** See `Deno.Conn.write()`. */
  write(bytes: Uint8Array): Promise<number>;
  /** See `Deno.Conn.closeWrite()`. */
  closeWrite(): Promise<void>;
}

/**
 * Copy until the source ends, then end the sink's stream. Holds at most one chunk, so a slow sink slows the source.
 *
 * @param source Read from; stays open.
 * @param sink Written to; its writing side is closed at the end of the source.
 * @param onChunk Called with the length in bytes of each chunk before it is written; may throw to stop.
 * @throws What the source, the sink or `onChunk` throws.
 *
 * @example
 * ```ts
 * import { copyBytes } from "./copy_bytes.ts";
 *
 * const source = { read: () => Promise.resolve(null) };
 * const sink = { write: (bytes: Uint8Array) => Promise.resolve(bytes.length), closeWrite: () => Promise.resolve() };
 * await copyBytes(source, sink);
 * ```
 */
export async function copyBytes(
  source: ByteSource,
  sink: ByteSink,
  onChunk?: (bytes: number) => void,
): Promise<void> {
  const chunk = new Uint8Array(CHUNK_BYTES);
  for (let count = await source.read(chunk); count !== null; count = await source.read(chunk)) {
    onChunk?.(count);
    await writeAll(sink, chunk.subarray(0, count));
  }
  await sink.closeWrite();
}

/**
 * Write all of it.
 *
 * @param sink Written to.
 * @param bytes Borrowed until the promise settles.
 * @throws What the sink throws.
 *
 * @example
 * ```ts
 * import { writeAll } from "./copy_bytes.ts";
 *
 * await writeAll({ write: (bytes) => Promise.resolve(bytes.length) }, new Uint8Array(3));
 * ```
 */
export async function writeAll(sink: Pick<ByteSink, "write">, bytes: Uint8Array): Promise<void> {
  for (let at = 0; at < bytes.length;) at += await sink.write(bytes.subarray(at));
}
