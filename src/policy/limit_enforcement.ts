/**
 * By what each limit is enforced on this machine, and whether a plugin can pass it.
 *
 * @module
 */

import type { LimitConfig } from "../config/types.ts";
import type { Finding } from "../errors.ts";
import type { LimitEnforcement, LimitName, SandboxPolicy, Tier } from "./types.ts";
import { SandboxUnavailableError } from "../errors.ts";
import { hasMounts } from "./has_mounts.ts";
import { workerBytes } from "./worker_bytes.ts";

/** What the enforcement of limits depends on. */
export interface LimitContext {
  readonly tier: Tier;
  /** The control group of the sandbox; null where it gets none. */
  readonly cgroup: SandboxPolicy["cgroup"];
  /** The operating system is Linux, so that resource limits of a process can be set. */
  readonly isLinux: boolean;
  /** The guest can bound itself: there is a native library for it. */
  readonly hasNative: boolean;
  /** The plugin has a writable path of the host. */
  readonly hasWritablePath: boolean;
}

/**
 * State the mechanism of every limit; refuse limits that are required to be hard and cannot be.
 *
 * @param limits The limits asked for.
 * @param context What they depend on.
 * @returns One entry for each limit, frozen.
 * @throws {SandboxUnavailableError} If a limit with `enforce: "required"` cannot be hard here.
 */
export function limitEnforcement(
  limits: LimitConfig,
  context: LimitContext,
): Readonly<Record<LimitName, LimitEnforcement>> {
  const enforcement: Record<LimitName, LimitEnforcement> = {
    memory: memory(limits, context),
    cpuPercent: cpuPercent(limits, context),
    cpuSeconds: rlimit(limits.cpuSeconds, context),
    wallMs: host(limits.wallMs),
    processes: processes(limits, context),
    openFiles: rlimit(limits.openFiles, context),
    fileSize: fileSize(limits, context),
    tmp: tmp(limits, context),
    tmpInodes: tmpInodes(limits, context),
    workers: workers(limits, context),
    output: host(limits.outputBytes),
    core: rlimit(0, context),
  };
  Object.values(enforcement).forEach(Object.freeze);
  refuseSoft(enforcement, limits.enforce);
  return Object.freeze(enforcement);
}

function memory(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const requested = limits.memoryBytes;
  if (!context.isLinux) {
    return { requested, mechanism: "v8", hard: false, note: "bounds the JavaScript heap only" };
  }
  if (context.cgroup !== null) {
    const note = "all memory that the plugin touches first, that of tensors and /tmp included";
    return { requested, mechanism: `cgroup${context.cgroup.version}`, hard: true, note };
  }
  if (!context.hasNative) {
    const note = "there is no native library for this machine, without which a guest cannot bound itself";
    return { requested, mechanism: "none", hard: false, note };
  }
  const room = limits.workers === 0
    ? ""
    : `, with ${workerBytes(limits) / 2 ** 20} MiB on top for the address space of workers`;
  const note = `private memory${room}; memory shared with the host and /tmp have bounds of their own`;
  return { requested, mechanism: "rlimit", hard: true, note };
}

function cpuPercent(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const requested = limits.cpuPercent;
  if (requested === null) return { requested, mechanism: "none", hard: true };
  if (context.cgroup !== null && Object.hasOwn(context.cgroup.directories, "cpu")) {
    return { requested, mechanism: `cgroup${context.cgroup.version}`, hard: true };
  }
  if (!context.isLinux) {
    return { requested, mechanism: "none", hard: false, note: "processor time is told on Linux only" };
  }
  return {
    requested,
    mechanism: "watchdog",
    hard: true,
    note: "the host stops the plugin when it is ahead of its share",
  };
}

function processes(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  if (context.cgroup !== null && Object.hasOwn(context.cgroup.directories, "pids")) {
    const note = "RLIMIT_NPROC in the sandbox's user namespace as well";
    return { requested: limits.processes, mechanism: `cgroup${context.cgroup.version}`, hard: true, note };
  }
  if (hasMounts(context.tier)) return rlimit(limits.processes, context);
  const note = "the kernel counts all processes of the account together outside a user namespace";
  return { requested: limits.processes, mechanism: "none", hard: false, note };
}

/** Where there are mounts and nothing of them is writable, there is no file that could grow. */
function fileSize(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const isWritable = context.hasWritablePath || limits.tmpBytes > 0;
  if (isWritable || !hasMounts(context.tier)) return rlimit(limits.fileSizeBytes, context);
  return { requested: limits.fileSizeBytes, mechanism: "bwrap", hard: true, note: "nothing is writable" };
}

function tmp(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const requested = limits.tmpBytes;
  if (hasMounts(context.tier)) {
    return {
      requested,
      mechanism: "bwrap",
      hard: true,
      note: "bytes; limits.tmpInodes bounds files",
    };
  }
  if (requested === 0) return { requested, mechanism: "none", hard: true, note: "there is no /tmp" };
  return { requested, mechanism: "none", hard: false, note: "needs a mount namespace" };
}

function tmpInodes(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const requested = limits.tmpInodes;
  if (limits.tmpBytes === 0) return { requested, mechanism: "none", hard: true, note: "there is no /tmp" };
  if (hasMounts(context.tier)) {
    return { requested, mechanism: "host", hard: true, note: "counted every 50 ms" };
  }
  return { requested, mechanism: "none", hard: false, note: "needs a mount namespace" };
}

/** No bound, but room in another one. */
function workers(limits: LimitConfig, context: LimitContext): LimitEnforcement {
  const isCounted = context.isLinux && context.cgroup === null && context.hasNative;
  if (!isCounted) {
    return { requested: null, mechanism: "none", hard: true, note: "no address space is counted as memory" };
  }
  const note = "memory leaves room for the address space of so many, and bounds all of it together";
  return { requested: limits.workers, mechanism: "rlimit", hard: true, note };
}

function rlimit(requested: number | null, context: LimitContext): LimitEnforcement {
  if (requested === null) return { requested, mechanism: "none", hard: true };
  if (context.isLinux) return { requested, mechanism: "rlimit", hard: true };
  return { requested, mechanism: "none", hard: false, note: "resource limits are set on Linux only" };
}

function host(requested: number | null): LimitEnforcement {
  return { requested, mechanism: requested === null ? "none" : "host", hard: true };
}

function refuseSoft(
  enforcement: Readonly<Record<LimitName, LimitEnforcement>>,
  enforce: LimitConfig["enforce"],
): void {
  const names = Object.keys(enforce) as (keyof LimitConfig["enforce"])[];
  const soft = names.filter((name) => enforce[name] === "required" && !enforcement[name].hard);
  if (soft.length === 0) return;
  const findings = soft.map((name): Finding => ({
    id: `limit-${name}`,
    level: "fail",
    summary: `limits.${name} cannot be hard here: ${enforcement[name].note ?? "there is no mechanism"}`,
    fix: [`Write enforce: { ${name}: "best-effort" } if a report is enough, or leave limits.${name} out`],
  }));
  throw new SandboxUnavailableError(
    `Cannot start a plugin as its limits demand: ${findings.map((finding) => finding.summary).join("; ")}`,
    { findings, hint: findings[0]?.fix?.[0] },
  );
}
