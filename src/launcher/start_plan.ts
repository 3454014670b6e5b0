/**
 * What is started, with which arguments and descriptors, for one launch.
 *
 * @module
 */

import type { Descriptors } from "./descriptors.ts";
import type { LaunchRequest, SandboxPaths } from "./types.ts";
import { LaunchError } from "../errors.ts";
import { bwrapArguments } from "./bwrap_arguments.ts";
import { guestCommand } from "./guest_command.ts";
import { bwrapFilter } from "./seccomp/mod.ts";
import { hasMounts } from "./sandbox_paths.ts";

/** One process to start. */
export interface StartPlan {
  readonly program: string;
  readonly args: readonly string[];
  /** Complete environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Descriptor on which bubblewrap reports, or null without bubblewrap. */
  readonly statusFd: number | null;
}

/**
 * Plan a start. The only effect is on `descriptors`.
 *
 * @param request What to start.
 * @param paths Where the guest finds its files.
 * @param descriptors Gets what the process needs from 3 on.
 * @returns The process.
 * @throws {LaunchError} If the tier needs bubblewrap and there is none.
 */
export function startPlan(request: LaunchRequest, paths: SandboxPaths, descriptors: Descriptors): StartPlan {
  return hasMounts(request.policy.tier)
    ? bwrapPlan(request, paths, descriptors)
    : directPlan(request, paths, descriptors);
}

/** Variables that the runtime itself reads; plugins see them, but have no permission to ask for them. */
function runtimeVariables(request: LaunchRequest): Record<string, string> {
  return {
    DENO_NO_UPDATE_CHECK: "1",
    HOME: "/tmp",
    ...(request.stdio === "piped" ? { NO_COLOR: "1" } : {}),
  };
}

function bwrapPlan(request: LaunchRequest, paths: SandboxPaths, descriptors: Descriptors): StartPlan {
  const { policy, runtime, files, directory } = request;
  if (runtime.bwrap === null) {
    throw new LaunchError(
      `Cannot start "${policy.plugin}" as its tier is "${policy.tier}": there is no bwrap`,
      {
        stage: "spawn",
        hint: "Install bubblewrap",
      },
    );
  }
  const pins = pinMounts(request, descriptors);
  const variables = runtimeVariables(request);
  const options = bwrapArguments(policy, { runtime: runtime.deno, files, directory, pins, variables });
  const argsFd = descriptors.addContent(directory.path, `${options.join("\0")}\0`);
  const seccompFd = addFilter(request, descriptors);
  const statusFd = descriptors.addPipe();
  const args = [
    "--as-pid-1",
    ...["--args", String(argsFd)],
    ...(seccompFd === null ? [] : ["--seccomp", String(seccompFd)]),
    ...["--json-status-fd", String(statusFd)],
  ];
  return {
    program: runtime.bwrap.path,
    args: [...args, "--", ...guestCommand(request, paths)],
    environment: {},
    workingDirectory: "/",
    statusFd,
  };
}

function addFilter({ policy, directory }: LaunchRequest, descriptors: Descriptors): number | null {
  if (policy.seccomp === null || policy.arch === null) return null;
  return descriptors.addContent(directory.path, bwrapFilter(policy.seccomp, policy.arch));
}

/** Sources are pinned by descriptor, where bubblewrap takes one: nothing can be swapped between the check and the mount. */
function pinMounts({ policy, runtime }: LaunchRequest, descriptors: Descriptors): Map<string, number> {
  const pins = new Map<string, number>();
  if (runtime.bwrap?.options.has("ro-bind-fd") !== true) return pins;
  for (const { source, mode } of policy.mounts) {
    if (mode !== "device") pins.set(source, descriptors.addPath(source));
  }
  return pins;
}

function directPlan(request: LaunchRequest, paths: SandboxPaths, _descriptors: Descriptors): StartPlan {
  const [program, ...args] = guestCommand(request, paths);
  return {
    program: program!,
    args,
    environment: { ...runtimeVariables(request), ...request.policy.environment },
    workingDirectory: request.policy.workingDirectory ?? paths.plugin,
    statusFd: null,
  };
}
