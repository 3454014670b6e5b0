/**
 * Parses which namespaces a sandbox has of its own and which capabilities of the kernel it keeps.
 *
 * @module
 */

import { quote } from "../util/quote.ts";
import { flag, invalid, list, object, type Parser, unknownName } from "./parse.ts";
import type { SharableNamespace } from "./types.ts";

/** Why a namespace cannot be shared with the host, and what to write instead. */
const needed: Readonly<Record<string, readonly [state: string, hint: string]>> = Object.freeze({
  user: ["without it an unprivileged sandbox can have none of the others", "Leave it out"],
  mnt: ["bubblewrap always makes it, and files would not be confined", "Grant paths in permissions.read"],
  pid: ["the host ends a sandbox by its first process", "Leave it out"],
  net: ["the network is granted, not shared by default", 'Write permissions: { net: "host" }'],
});
const sharable: readonly SharableNamespace[] = Object.freeze(["ipc", "uts", "cgroup"]);

/** Linux's capabilities(7). */
const capabilityNames: readonly string[] = Object.freeze(
  ("AUDIT_CONTROL AUDIT_READ AUDIT_WRITE BLOCK_SUSPEND BPF CHECKPOINT_RESTORE CHOWN DAC_OVERRIDE DAC_READ_SEARCH " +
    "FOWNER FSETID IPC_LOCK IPC_OWNER KILL LEASE LINUX_IMMUTABLE MAC_ADMIN MAC_OVERRIDE MKNOD NET_ADMIN " +
    "NET_BIND_SERVICE NET_BROADCAST NET_RAW PERFMON SETFCAP SETGID SETPCAP SETUID SYS_ADMIN SYS_BOOT SYS_CHROOT " +
    "SYS_MODULE SYS_NICE SYS_PACCT SYS_PTRACE SYS_RAWIO SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG SYSLOG WAKE_ALARM")
    .split(" ").map((name) => `CAP_${name}`),
);

/**
 * Reads `LoadOptions.namespaces`: `true` is what every sandbox has; `false` shares what may be shared.
 *
 * @param value What was passed.
 * @param path Where it stands.
 * @returns The namespaces that are the host's, sorted and frozen.
 */
export function sharedNamespaces(value: unknown, path: string): readonly SharableNamespace[] {
  const shape: Record<string, Parser<boolean>> = {};
  for (const name of sharable) shape[name] = flag;
  for (const [name, [state, hint]] of Object.entries(needed)) {
    shape[name] = (one, at) => {
      if (flag(one, at)) return true;
      throw invalid(at, "a namespace to share", state, hint);
    };
  }
  const parsed = object(value, path, shape, { mount: "mnt", network: "net" });
  return Object.freeze(sharable.filter((name) => parsed[name] === false));
}

/**
 * Checks `LoadOptions.capabilities`. Every sandbox drops all of them, so nothing is returned.
 *
 * @param value What was passed.
 * @param path Where it stands.
 */
export function capabilityDrop(value: unknown, path: string): void {
  object(value, path, { drop, keep });
}

function drop(value: unknown, path: string): void {
  if (value !== "ALL") list(capabilityName)(value, path);
}

function keep(value: unknown, path: string): void {
  const kept = list(capabilityName)(value, path);
  if (kept.length === 0) return;
  throw invalid(
    path,
    "capabilities to keep",
    `${
      kept.map(quote).join(", ")
    } would have no effect on the host, and only widen what can be attacked in the kernel`,
    "Leave it out: grant files, hosts or services instead",
  );
}

function capabilityName(value: unknown, path: string): string {
  const text = typeof value === "string" ? value.toUpperCase() : "";
  const name = text.startsWith("CAP_") ? text : `CAP_${text}`;
  if (text === "ALL" || capabilityNames.includes(name)) return name;
  if (typeof value !== "string") throw invalid(path, "the name of a capability", `it is ${quote(value)}`);
  throw unknownName(path, name, "the name of a capability", capabilityNames);
}
