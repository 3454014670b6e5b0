/**
 * What is started, with which arguments and descriptors, for one launch.
 *
 * @module
 */

import type { Descriptors } from "./descriptors.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { LaunchRequest, SandboxPaths } from "./types.ts";
import { LaunchError, SandboxUnavailableError } from "../errors.ts";
import { hasMounts } from "../policy/has_mounts.ts";
import { bwrapArguments } from "./bwrap_arguments.ts";
import {
  cordonExecArguments,
  cordonGuardArguments,
  type ExecSurroundings,
  type GuardPlan,
  policyExecPlan,
  type Rlimits,
} from "./exec/mod.ts";
import { guestCommand } from "./guest_command.ts";
import { type ExpectedMount, expectedMounts } from "./mount_check.ts";
import { CompiledFilters } from "./seccomp/mod.ts";
import { maySeeProc } from "./proc_view.ts";

/** Where the guest forwards from to the host's proxy; the runtime's HTTP client leaves names to it. */
const FORWARDER = "socks5h://127.0.0.1:1080";

/** One process to start. */
export interface StartPlan {
  readonly program: string;
  readonly args: readonly string[];
  /** Complete environment of the process. */
  readonly environment: Readonly<Record<string, string>>;
  readonly workingDirectory: string;
  /** Where bubblewrap reports: a pipe of the process, the first connection to the guest's socket, or null without it. */
  readonly status: number | "socket" | null;
  /** Mounts that could not be pinned and have to be checked in the running sandbox. */
  readonly unpinned: readonly ExpectedMount[];
}

/**
 * Plan a start. The only effect is on `descriptors`.
 *
 * @param request What to start.
 * @param paths Where the guest finds its files.
 * @param descriptors Gets what the process needs from 3 on.
 * @returns The process.
 * @throws {LaunchError} If the tier needs bubblewrap and there is none.
 * @throws {PermissionDeniedError} If a granted path is no longer what it was when it was resolved.
 * @throws {SandboxUnavailableError} If a layer of the policy cannot be put in force.
 */
export function startPlan(
  request: LaunchRequest,
  paths: SandboxPaths,
  descriptors: Descriptors,
): StartPlan {
  if (hasMounts(request.policy.tier)) return bwrapPlan(request, paths, descriptors);
  if (request.files.exec !== null) return helperPlan(request, request.files.exec, paths, descriptors);
  if (request.policy.tier === "landlock") throw helperMissing(request.policy.plugin);
  const [program, ...args] = guestCommand(request, paths);
  return { ...directPlan(request, paths), program, args };
}

function bwrapPlan(
  request: LaunchRequest,
  paths: SandboxPaths,
  descriptors: Descriptors,
): StartPlan {
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
  if (paths.exec === null || files.exec === null) throw helperMissing(policy.plugin);
  // Bound by descriptor, nothing can be swapped between the check and the mount. Where it leads is read in /proc.
  const canPin = runtime.bwrap.options.has("ro-bind-fd") && runtime.bwrap.options.has("bind-fd") &&
    maySeeProc();
  const granted = policy.mounts.filter((mount) => mount.mode !== "device");
  const pins = new Map(canPin ? granted.map(({ source }) => [source, descriptors.addPath(source)]) : []);
  const variables = runtimeVariables(request, paths);
  const options = bwrapArguments(policy, { runtime: runtime.deno, files, directory, pins, variables });
  const argsFd = descriptors.addContent(directory.path, `${options.join("\0")}\0`);
  const seccompFd = addFilter(request, descriptors);
  const handOver = request.native === undefined ? undefined : handedOver(request, descriptors);
  const statusFd = handOver === undefined ? descriptors.addPipe() : descriptors.next;
  const command = [paths.exec, ...helperArguments(request, paths, { seccompFd: null, parentPid: null })];
  const args = [
    "--as-pid-1",
    ...["--args", String(argsFd)],
    ...["--seccomp", String(seccompFd)],
    ...["--json-status-fd", String(statusFd)],
  ];
  const guard = { parentPid: Deno.pid, reportFd: statusFd, ...(handOver === undefined ? {} : { handOver }) };
  return {
    program: files.exec,
    args: cordonGuardArguments(guard, [runtime.bwrap.path, ...args, "--", ...command]),
    environment: {},
    workingDirectory: "/",
    status: handOver === undefined ? statusFd : "socket",
    unpinned: canPin ? [] : expectedMounts(granted),
  };
}

/** A script's standard input is handed over, too: the guard's own is the socket over which it comes. */
function handedOver(
  { directory, policy, stdio }: LaunchRequest,
  descriptors: Descriptors,
): NonNullable<GuardPlan["handOver"]> {
  const stdinFd = stdio === "inherit" ? descriptors.addInherited(0) : null;
  return {
    descriptors: descriptors.stdio.length,
    statusPath: directory.socket,
    stdinFd,
    account: policy.runAs,
  };
}

/**
 * Without bubblewrap the helper is the process that is started. Its arguments come on a descriptor, as the runtime's
 * own `spawn()` rewrites command lines in which its own path occurs.
 */
function helperPlan(
  request: LaunchRequest,
  helper: string,
  paths: SandboxPaths,
  descriptors: Descriptors,
): StartPlan {
  const seccompFd = request.policy.seccomp === null ? null : addFilter(request, descriptors);
  const options = helperArguments(request, paths, { seccompFd, parentPid: Deno.pid });
  const argsFd = descriptors.addContent(request.directory.path, `${options.join("\0")}\0`);
  return { ...directPlan(request, paths), program: helper, args: [`--args-fd=${argsFd}`] };
}

function directPlan(request: LaunchRequest, paths: SandboxPaths): Omit<StartPlan, "program" | "args"> {
  return {
    environment: { ...runtimeVariables(request, paths), ...request.policy.environment },
    workingDirectory: request.policy.workingDirectory ?? paths.plugin,
    status: null,
    unpinned: [],
  };
}

/** Variables that the runtime itself reads. Plugins may see them: they say no more of the host than its paths inside do. */
function runtimeVariables(request: LaunchRequest, paths: SandboxPaths): Record<string, string> {
  return {
    DENO_NO_UPDATE_CHECK: "1",
    // Where it cannot write: its cache belongs neither into the scratch space nor on the host.
    HOME: paths.run,
    // On a terminal the runtime would tell that it cannot write its cache there, and that a broker is experimental.
    ...(request.stdio === "piped" ? { NO_COLOR: "1" } : { DENO_LOG: "error,deno::cache=off" }),
    ...(request.policy.network.kind === "proxy" ? { ALL_PROXY: FORWARDER } : {}),
    ...(request.hasBroker === true ? { DENO_PERMISSION_BROKER_PATH: paths.broker } : {}),
    ...allocatorVariables(request.policy),
  };
}

/**
 * The collector frees arrays many at a time, when they have reached 64 MiB. glibc would give all of that memory back to
 * the kernel, which zeroes and counts it again page by page for the next arrays; so a little more may stay with the
 * plugin, but no more than a quarter of what it may have. See mallopt(3); 32 MiB is what its own threshold for mappings
 * rises to.
 */
function allocatorVariables({ limits }: SandboxPolicy): Record<string, string> {
  return {
    MALLOC_MMAP_THRESHOLD_: String(32 * 2 ** 20),
    MALLOC_TRIM_THRESHOLD_: String(Math.min(96 * 2 ** 20, Math.floor(limits.memoryBytes / 4))),
  };
}

function helperArguments(
  request: LaunchRequest,
  paths: SandboxPaths,
  parent: Pick<ExecSurroundings, "seccompFd" | "parentPid">,
): string[] {
  const inheritedFds = request.inheritedFds?.length ?? 0;
  const plan = policyExecPlan(request.policy, {
    paths,
    runtime: request.runtime.deno,
    inheritedFds,
    ...parent,
  });
  return cordonExecArguments(
    { ...plan, rlimits: ownRlimits(request.policy, plan.rlimits) },
    guestCommand(request, paths),
  );
}

/** Only what the policy says is a resource limit: elsewhere they count processes of others, or bite shared memory. */
function ownRlimits({ enforcement }: SandboxPolicy, { nproc, fsize, ...others }: Rlimits): Rlimits {
  return {
    ...others,
    ...(enforcement.processes.mechanism !== "none" && nproc !== undefined ? { nproc } : {}),
    ...(enforcement.fileSize.mechanism === "rlimit" && fsize !== undefined ? { fsize } : {}),
  };
}

function addFilter({ policy, directory, filters }: LaunchRequest, descriptors: Descriptors): number {
  if (policy.seccomp === null || policy.arch === null) {
    throw new SandboxUnavailableError(
      `Cannot start "${policy.plugin}" as its tier demands a system call filter`,
      {
        findings: [{ id: "seccomp", level: "fail", summary: "the policy has no system call filter" }],
      },
    );
  }
  return descriptors.addContent(
    directory.path,
    (filters ?? new CompiledFilters()).of("bwrap", policy.seccomp, policy.arch),
  );
}

function helperMissing(plugin: string): SandboxUnavailableError {
  const summary = `cordon-exec was not built for ${Deno.build.arch}`;
  return new SandboxUnavailableError(
    `Cannot start "${plugin}" as resource limits and Landlock demand a helper: ${summary}`,
    {
      findings: [{ id: "cordon-exec", level: "fail", summary, fix: ["Build it with `deno task build`"] }],
    },
  );
}
