/**
 * Tells a guest how much private memory it may use, before it gives up the right to set that.
 *
 * @module
 */

import { SandboxUnavailableError } from "../errors.ts";
import type { LaunchedGuest, SandboxDirectory } from "../launcher/types.ts";
import type { Native } from "../native/mod.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { BootRecord } from "../util/boot_record.ts";

/** What the limit is computed from. */
export interface MemoryLimitRequest {
  readonly native: Native | null;
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
  const { native, guest, policy, directory, boot } = request;
  if (policy.enforcement.memory.mechanism !== "rlimit") return;
  const pid = await guest.guestPid;
  // A guest that is gone meanwhile is reported as such by whoever talks to it.
  if (pid === null) return;
  if (native === null || boot.paths.library === null) throw unbounded(policy.plugin);
  const dataBytes = usedDataBytes(native, pid) + policy.limits.memoryBytes;
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
        summary: "the host may not use FFI, so memory cannot be bounded",
        fix: ["run the host with --allow-ffi"],
      }],
    },
  );
}

/** VmData of a process, in bytes: proc_pid_status(5). */
function usedDataBytes(native: Native, pid: number): number {
  const status = new TextDecoder().decode(native.readFile(`/proc/${pid}/status`));
  const kibibytes = /^VmData:\s+(\d+) kB$/m.exec(status)?.[1];
  if (kibibytes === undefined) throw new TypeError(`Cannot read VmData of process ${pid}`);
  return Number(kibibytes) * 1024;
}
