/**
 * Where the runtime inside a sandbox listens for debuggers, and where that is handed on to the host.
 *
 * @module
 */

import type { SandboxPaths } from "./types.ts";

/** In the sandbox's own network, which nothing else is in. */
export const INSPECTOR_ADDRESS = "127.0.0.1:9229";

/**
 * Name the socket that leads to the host.
 *
 * @param paths Where the guest, or the host, finds the sandbox's sockets.
 * @returns Absolute path.
 */
export function inspectorSocket(paths: Pick<SandboxPaths, "run">): string {
  return `${paths.run}/inspect.sock`;
}
