/**
 * The command that becomes the guest.
 *
 * @module
 */

import type { LaunchRequest, SandboxPaths } from "./types.ts";
import { denoFlags } from "./deno_flags.ts";

/**
 * Put the guest's command together, as it is executed inside the sandbox.
 *
 * @param request What to start.
 * @param paths Where the guest finds its files.
 * @returns Program and arguments. The guest's script gets the path of its settings and then the request's arguments.
 */
export function guestCommand(request: LaunchRequest, paths: SandboxPaths): [string, ...string[]] {
  const flags = denoFlags(request.policy, paths, request.denoFlags);
  return [paths.deno, "run", ...flags, paths.guest, paths.boot, ...request.args];
}
