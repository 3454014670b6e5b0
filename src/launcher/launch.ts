/**
 * The only place that starts a guest.
 *
 * @module
 */

import type { LaunchedGuest, LaunchRequest } from "./types.ts";
import type { StartPlan } from "./start_plan.ts";
import { type ChildProcess, spawn } from "node:child_process";
import { LaunchError } from "../errors.ts";
import { type ControlGroup, controlGroup, leafName } from "./control_group.ts";
import { Descriptors } from "./descriptors.ts";
import { groupError } from "./group_error.ts";
import { handOver } from "./hand_over.ts";
import { GuestSocket } from "./guest_socket.ts";
import { demandProcAccess } from "./proc_access.ts";
import { RunningGuest } from "./running_guest.ts";
import { sandboxPaths } from "./sandbox_paths.ts";
import { startPlan } from "./start_plan.ts";

/**
 * Start a sandbox. Resolves as soon as the process exists and its socket listens; what happens then is told by
 * `accept()` and `exited`. Call it from the main thread: a sandbox dies with the thread that started it.
 *
 * @param request What to start. Its directory is removed also when the start fails.
 * @returns The running guest; the caller owns it.
 * @throws {LaunchError} If the process could not be started (stage `"spawn"`).
 * @throws {SandboxUnavailableError} If a layer or limit of the policy cannot be put in force.
 * @throws {PermissionDeniedError} If a granted path is no longer what it was when it was checked.
 */
export async function launch(request: LaunchRequest): Promise<LaunchedGuest> {
  try {
    return await start(request);
  } catch (error) {
    await request.directory.remove();
    throw error;
  }
}

async function start(request: LaunchRequest): Promise<LaunchedGuest> {
  const { policy, directory, files } = request;
  demandProcAccess(policy);
  const paths = sandboxPaths(policy, directory, files);
  using descriptors = new Descriptors(request.inheritedFds ?? []);
  await using cleanup = new AsyncDisposableStack();
  const group = openControlGroup(request);
  if (group !== null) cleanup.use(group);
  const plan = startPlan(request, paths, descriptors);
  const socket = cleanup.use(new GuestSocket(directory.socket, policy.runAs, plan.status === "socket"));
  const child = startProcess(request, plan, descriptors);
  if (child.pid === undefined) throw await spawnError(policy.plugin, plan.program, child);
  const guest = new RunningGuest({
    child,
    socket,
    request,
    paths,
    status: plan.status,
    unpinned: plan.unpinned,
    group,
  });
  cleanup.move();
  return guest;
}

function openControlGroup({ policy }: LaunchRequest): ControlGroup | null {
  try {
    return controlGroup(policy, leafName());
  } catch (cause) {
    throw groupError(policy.plugin, cause);
  }
}

function startProcess(request: LaunchRequest, plan: StartPlan, descriptors: Descriptors): ChildProcess {
  const { native, stdio, policy } = request;
  const output = stdio === "inherit" ? "inherit" : "pipe";
  const options = { env: { ...plan.environment }, cwd: plan.workingDirectory };
  if (native !== undefined && plan.status === "socket") {
    const input = handOver(native, descriptors.stdio);
    try {
      return spawn(plan.program, [...plan.args], { ...options, stdio: [input, output, output] });
    } finally {
      native.close(input);
    }
  }
  const input = stdio === "inherit" ? "inherit" : "ignore";
  return spawn(plan.program, [...plan.args], {
    ...options,
    stdio: [input, output, output, ...descriptors.stdio],
    ...policy.runAs ?? {},
  });
}

async function spawnError(plugin: string, program: string, child: ChildProcess): Promise<LaunchError> {
  const { promise, resolve } = Promise.withResolvers<Error>();
  child.once("error", resolve);
  const cause = await promise;
  return new LaunchError(`Cannot start "${plugin}" as "${program}" does not start: ${cause.message}`, {
    stage: "spawn",
    cause,
  });
}
