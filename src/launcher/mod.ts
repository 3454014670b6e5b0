/**
 * From a policy to a running, confined process, and to nothing again.
 *
 * @module
 */

export { bwrapArguments, type BwrapLayout } from "./bwrap_arguments.ts";
export { denoFlags } from "./deno_flags.ts";
export { type ExitFacts, exitReport } from "./exit_report.ts";
export { type HostDirectoryOptions, openHostDirectory } from "./host_directory.ts";
export { launch } from "./launch.ts";
export { sandboxPaths } from "./sandbox_paths.ts";
export { bwrapFilter, describeFilter, guestFilter, type SyscallVerdict } from "./seccomp/mod.ts";
export { sweepStale } from "./sweep_stale.ts";
export type {
  ExitReport,
  HostDirectory,
  HostFiles,
  LaunchedGuest,
  LaunchRequest,
  Runtime,
  SandboxDirectory,
  SandboxPaths,
} from "./types.ts";
