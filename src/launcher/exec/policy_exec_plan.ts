/**
 * The policy as a plan for cordon-exec.
 *
 * @module
 */

import type { Mount, SandboxPolicy } from "../../policy/types.ts";
import { hasMounts } from "../../policy/has_mounts.ts";
import type { Runtime, SandboxPaths } from "../types.ts";
import { type ExecPlan, LANDLOCK_ABI_KNOWN, type LandlockPlan, type Rlimits } from "./exec_plan.ts";

/** What a start adds to its policy. */
export interface ExecSurroundings {
  /** Where the guest finds its files. */
  readonly paths: SandboxPaths;
  /** The runtime's loader and libraries. */
  readonly runtime: Runtime["deno"];
  /** How many descriptors, from 3 on, the guest inherits. */
  readonly inheritedFds: number;
  /** Descriptor of the filter, where no bubblewrap installs it; else null. */
  readonly seccompFd: number | null;
  /** Pid of the parent with which to die, where no bubblewrap sees to it; else null. */
  readonly parentPid: number | null;
}

const LANDLOCK_TCP = 4;
const LANDLOCK_SCOPE = 6;

/**
 * Compile a policy into what cordon-exec takes away.
 *
 * @param policy What the plugin may do.
 * @param surroundings What the start adds.
 * @returns The plan.
 *
 * @example
 * ```ts ignore
 * const plan = policyExecPlan(policy, { paths, runtime, inheritedFds: 1, seccompFd: null, parentPid: null });
 * const command = [paths.exec, ...cordonExecArguments(plan, guestCommand(request, paths))];
 * ```
 */
export function policyExecPlan(policy: SandboxPolicy, surroundings: ExecSurroundings): ExecPlan {
  return {
    rlimits: policyRlimits(policy),
    landlock: policy.landlockAbi === 0 ? null : landlockPlan(policy, surroundings),
    parentPid: surroundings.parentPid,
    seccompFd: surroundings.seccompFd,
    closeFrom: 3 + surroundings.inheritedFds,
  };
}

/**
 * The limits of a policy that are resource limits of a process. Memory is not among them: its bound is known only
 * when the runtime has started.
 *
 * @param policy What the plugin may do.
 * @returns Limits by name.
 *
 * @example
 * ```ts ignore
 * policyRlimits(policy); // { core: 0, memlock: 0, msgqueue: 0, nofile: 256, nproc: 64, fsize: 67108864 }
 * ```
 */
export function policyRlimits({ limits, gpu }: SandboxPolicy): Rlimits {
  return {
    core: 0,
    msgqueue: 0,
    // Graphics drivers pin the memory that they copy from.
    ...(gpu ? {} : { memlock: 0 }),
    nofile: limits.openFiles,
    nproc: limits.processes,
    fsize: limits.fileSizeBytes,
    ...(limits.cpuSeconds === null ? {} : { cpu: limits.cpuSeconds }),
  };
}

function landlockPlan(policy: SandboxPolicy, { paths, runtime }: ExecSurroundings): LandlockPlan {
  const abi = Math.min(policy.landlockAbi, LANDLOCK_ABI_KNOWN);
  const hasNetwork = policy.network.kind !== "none" || policy.inspector === true;
  const ports = abi < LANDLOCK_TCP || hasNetwork ? "any" : [];
  const isMounted = hasMounts(policy.tier);
  const granted = (mode: Mount["mode"]) =>
    policy.mounts.filter((mount) => mount.mode === mode).map(({ source, target }) =>
      isMounted ? target : source
    );
  const libraries = runtime.libraries.map(({ source, target }) => isMounted ? target : source);
  const loader = isMounted ? runtime.loaderTarget : runtime.loader;
  return {
    abi,
    executable: [paths.deno, loader],
    readOnly: [
      ...libraries,
      ...(paths.library === null ? [] : [paths.library]),
      ...(paths.clock === undefined ? [] : [paths.clock]),
      ...[paths.guest, paths.plugin, paths.run, "/dev/urandom"],
      ...granted("read-only"),
    ],
    readWrite: [...granted("read-write"), ...(isMounted && policy.limits.tmpBytes > 0 ? ["/tmp"] : [])],
    devices: ["/dev/null", ...granted("device")],
    tcpConnect: ports,
    tcpBind: ports,
    scope: abi >= LANDLOCK_SCOPE,
  };
}
