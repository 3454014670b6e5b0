/**
 * Reads the settings of this machine that are known to forbid user namespaces.
 *
 * @module
 */

import { detectContainer } from "./container.ts";
import { isAbsent, readFact, readIntegerFact } from "./read_fact.ts";
import type { PlatformFacts } from "./types.ts";

/** What decides which of several causes a failure of bubblewrap has. Null is "not known" or "no such setting". */
export interface RestrictionFacts {
  readonly os: PlatformFacts["os"];
  /** `user.max_user_namespaces`. */
  readonly maxUserNamespaces: number | null;
  /** `kernel.unprivileged_userns_clone`, in Debian's and hardened kernels. */
  readonly unprivilegedUsernsClone: number | null;
  /** `kernel.apparmor_restrict_unprivileged_userns`, in Ubuntu's kernels. */
  readonly apparmorRestrictsUserns: number | null;
  /** SELinux is loaded and enforces. */
  readonly selinuxEnforces: boolean;
  /** `/proc/version`. */
  readonly kernelVersion: string;
  /** The root directory of this process is not that of its mount namespace. Null where it cannot be told. */
  readonly isChrooted: boolean | null;
  /** The seccomp filter mode of this process: 2 in a container with a filter. */
  readonly seccompMode: number | null;
  readonly container: PlatformFacts["container"];
}

/**
 * Read the settings that may forbid a sandbox.
 *
 * @returns What was found; a setting that does not exist or must not be read is null.
 */
export async function restrictionFacts(): Promise<RestrictionFacts> {
  const [maxUserNamespaces, clone, apparmor, enforce, kernelVersion, status, container, isChrooted] =
    await Promise.all([
      readIntegerFact("/proc/sys/user/max_user_namespaces"),
      readIntegerFact("/proc/sys/kernel/unprivileged_userns_clone"),
      readIntegerFact("/proc/sys/kernel/apparmor_restrict_unprivileged_userns"),
      readIntegerFact("/sys/fs/selinux/enforce"),
      readFact("/proc/version"),
      readFact("/proc/self/status"),
      detectContainer(),
      detectChroot(),
    ]);
  return {
    os: operatingSystem(Deno.build.os),
    maxUserNamespaces,
    unprivilegedUsernsClone: clone,
    apparmorRestrictsUserns: apparmor,
    selinuxEnforces: enforce === 1,
    kernelVersion: kernelVersion ?? "",
    isChrooted,
    seccompMode: seccompMode(status),
    container,
  };
}

/**
 * Name the operating system in Cordon's words.
 *
 * @param os `Deno.build.os`.
 * @returns One of the systems that are told apart.
 */
export function operatingSystem(os: string): PlatformFacts["os"] {
  return os === "linux" || os === "darwin" || os === "windows" ? os : "other";
}

function seccompMode(status: string | null): number | null {
  const digit = /^Seccomp:\s*(\d)/m.exec(status ?? "")?.[1];
  return digit === undefined ? null : Number(digit);
}

/** Without a mount at its root a process must be in a chroot; otherwise the first process, if it may be asked, tells. */
async function detectChroot(): Promise<boolean | null> {
  const mountInfo = await readFact("/proc/self/mountinfo");
  if (mountInfo !== null && !hasRootMount(mountInfo)) return true;
  try {
    const [own, first] = await Promise.all([Deno.stat("/"), Deno.stat("/proc/1/root/")]);
    return own.dev !== first.dev || own.ino !== first.ino;
  } catch (error) {
    if (isAbsent(error)) return null;
    throw error;
  }
}

/**
 * Whether something is mounted at the root directory of the process that a mount table belongs to.
 *
 * @param mountInfo Text of `/proc/self/mountinfo`.
 * @returns False in a chroot whose directory is no mount point.
 */
export function hasRootMount(mountInfo: string): boolean {
  return mountInfo.split("\n").some((line) => line.split(" ")[4] === "/");
}
