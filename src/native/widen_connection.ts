/**
 * Room for large frames in a connection.
 *
 * @module
 */

import { NativeError } from "../errors.ts";
import type { Native } from "./types.ts";

/** A frame of a MiB fits as a whole; the system may grant less (`net.core.wmem_max`), and counts what it adds. */
const ROOM_BYTES = 1024 * 1024;

/**
 * Let the kernel take large frames at once. With the room that sockets have by themselves, a writer of a MiB sleeps
 * and is woken five times, which takes longer than copying does.
 *
 * @param native The library.
 * @param connection Connected Unix socket; stays the caller's. What cannot be widened goes on as it is.
 *
 * @example
 * ```ts
 * import { nativeLibraryPath, openNative } from "./mod.ts";
 * import { widenConnection } from "./widen_connection.ts";
 *
 * const directory = await Deno.makeTempDir();
 * const path = `${directory}/socket`;
 * using listener = Deno.listen({ transport: "unix", path });
 * using connection = await Deno.connect({ transport: "unix", path });
 * const library = await nativeLibraryPath(directory);
 * using native = library === null ? null : openNative(library);
 * if (native !== null) widenConnection(native, connection);
 * await Deno.remove(directory, { recursive: true });
 * ```
 */
export function widenConnection(native: Native, connection: Deno.UnixConn): void {
  const path = nameOf(connection.localAddr) ?? nameOf(connection.remoteAddr);
  if (path === undefined) return;
  try {
    native.sendRoom(path, ROOM_BYTES);
  } catch (error) {
    if (!(error instanceof NativeError)) throw error;
  }
}

function nameOf(address: Deno.Addr): string | undefined {
  return "path" in address && address.path !== null && address.path !== "" ? address.path : undefined;
}
