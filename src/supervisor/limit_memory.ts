/**
 * Tells a guest how much private memory it may use, before it gives up the right to set that.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import type { LaunchedGuest, SandboxDirectory } from "../launcher/types.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import { workerBytes } from "../policy/worker_bytes.ts";
import type { BootRecord } from "../util/boot_record.ts";
import { processSizes, type ProcessView } from "./process_status.ts";

/** What the limit is computed from. */
export interface MemoryLimitRequest {
  readonly view: ProcessView;
  /** A guest that connected and waits for the host's hello. */
  readonly guest: LaunchedGuest;
  readonly policy: SandboxPolicy;
  readonly directory: SandboxDirectory;
  readonly boot: BootRecord;
}

/**
 * Write the bound into the boot record: what the guest uses now plus its memory limit. The guest sets it as RLIMIT_DATA,
 * which counts private writable mappings: setrlimit(2). A host that is root in a container may lack the right to do so.
 *
 * @param request What the limit is computed from.
 * @throws {SandboxUnavailableError} If the policy promises the bound and it cannot be computed.
 */
export async function limitMemory(request: MemoryLimitRequest): Promise<void> {
  const { view, guest, policy, directory, boot } = request;
  if (policy.enforcement.memory.mechanism !== "rlimit") return;
  const pid = await guest.guestPid;
  // A guest that is gone meanwhile is reported as such by whoever talks to it.
  if (pid === null) return;
  if (boot.paths.library === null) throw unbounded(policy.plugin);
  const dataBytes = usedDataBytes(view, pid) + policy.limits.memoryBytes + workerBytes(policy.limits);
  directory.write(directory.boot, JSON.stringify({ ...boot, dataBytes } satisfies BootRecord));
}

/** The policy promised a bound, so nothing goes on without it. */
function unbounded(plugin: string): SandboxUnavailableError {
  return new SandboxUnavailableError(
    `Cannot bound the memory of plugin "${plugin}": there is no native library`,
    {
      findings: [{
        id: "native-library",
        level: "fail",
        summary: "no native library was built for this machine, and the guest needs it to bound itself",
        fix: ["Use a machine with x86_64 or aarch64"],
      }],
    },
  );
}

/** What the limit counts of a process. */
function usedDataBytes(view: ProcessView, pid: number): number {
  const { VmData } = processSizes(view, pid, ["VmData"]);
  if (VmData === undefined) throw new TypeError(`Cannot read VmData of process ${pid}`);
  return VmData;
}
