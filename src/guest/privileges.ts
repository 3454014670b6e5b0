/**
 * Everything of the guest that needs a privilege: taken first, given up before foreign code is imported.
 *
 * @module
 */

import { openNative } from "../native/open_native.ts";
import type { Native } from "../native/types.ts";
import { widenConnection } from "../native/widen_connection.ts";
import type { TypeRegistry } from "../rpc/mod.ts";
import { openGuestTensors } from "../tensor/mod.ts";
import type { GuestTensors } from "../tensor/mod.ts";
import type { GuestCuda, GuestCudaParts } from "../tensor/cuda/guest_cuda.ts";
import type { BootRecord } from "../util/boot_record.ts";

/** What was opened while FFI was still allowed. */
export interface Privileges {
  readonly native: Native | null;
  readonly tensors: GuestTensors;
  /** GPUs, if they were granted. */
  readonly cuda: GuestCuda | null;
}

/**
 * Open the native library and reserve the window: impossible later.
 *
 * @param boot The boot record.
 * @param types Gets the value types of tensors.
 * @param connection To the host.
 * @returns What the guest keeps.
 */
export function openPrivileges(
  boot: BootRecord,
  types: TypeRegistry,
  connection: Deno.UnixConn,
): Privileges {
  const native = boot.paths.library === null ? null : openNative(boot.paths.library, "guest");
  if (native !== null) widenConnection(native, connection);
  const tensors = openGuestTensors({
    native,
    fd: boot.descriptorChannel,
    maxFrameBytes: boot.maxFrameBytes,
  });
  tensors.register(types);
  return { native, tensors, cuda: openCuda(boot, tensors, types) };
}

/** The script comes from the host, as this one did: plugins without a GPU are not to read it. */
function openCuda({ cuda, paths }: BootRecord, tensors: GuestTensors, types: TypeRegistry): GuestCuda | null {
  if (cuda === null) return null;
  const open = (0, eval)(cuda.script) as (parts: GuestCudaParts) => GuestCuda;
  const warn = (text: string): void => void Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
  return open({ ...cuda, libraryPath: paths.library, tensors, types, warn });
}

/**
 * Give up FFI and the socket: what was loaded and connected stays usable.
 *
 * @param boot The boot record.
 * @throws {Error} If anything could not be given up: the guest must end then.
 */
export async function giveUpFfiAndSockets(boot: BootRecord): Promise<void> {
  const { socket } = boot.paths;
  const descriptors: Deno.PermissionDescriptor[] = [
    { name: "ffi" },
    { name: "read", path: socket },
    { name: "write", path: socket },
  ];
  // Of the whole network no part can be given up. Connecting takes read and write of the path, too: both are gone.
  const { state } = await Deno.permissions.query({ name: "net" });
  if (state !== "granted") descriptors.push({ name: "net", host: `unix:${socket}` });
  descriptors.push(...inspectorPermissions(boot));
  for (const descriptor of descriptors) await giveUp(descriptor);
}

/**
 * Bound the memory, give up the boot record, then narrow the system calls of every thread.
 *
 * @param boot The boot record.
 * @param privileges What was opened.
 * @throws {Error} If anything could not be given up: the guest must end then.
 */
export async function dropPrivileges(boot: BootRecord, { native }: Privileges): Promise<void> {
  boundMemory(boot.paths.boot, native);
  await giveUp({ name: "read", path: boot.paths.boot });
  if (boot.filter === null) return;
  if (native === null) throw new TypeError("Cannot narrow system calls: the native library is missing");
  native.installSeccomp(Uint8Array.fromBase64(boot.filter));
}

/** Its connections are open: nothing else may make one. */
function inspectorPermissions({ inspector }: BootRecord): Deno.PermissionDescriptor[] {
  if (inspector === undefined) return [];
  const { address, socket } = inspector;
  return [
    { name: "net", host: address },
    { name: "net", host: `unix:${socket}` },
    { name: "read", path: socket },
    { name: "write", path: socket },
  ];
}

/** The host has written the bound down meanwhile. */
function boundMemory(record: string, native: Native | null): void {
  const { dataBytes } = JSON.parse(Deno.readTextFileSync(record)) as BootRecord;
  if (dataBytes === null) return;
  if (native === null) throw new TypeError("Cannot bound memory: the native library is missing");
  native.prlimit(0, "data", { soft: BigInt(dataBytes), hard: BigInt(dataBytes) });
}

async function giveUp(descriptor: Deno.PermissionDescriptor): Promise<void> {
  const { state } = await Deno.permissions.revoke(descriptor);
  if (state === "granted") {
    throw new TypeError(`Cannot give up the permission "${descriptor.name}": still granted`);
  }
}
