/**
 * Decides why bubblewrap could not make a sandbox, from what it printed and from the machine's settings.
 *
 * @module
 */

import type { RestrictionFacts } from "./restriction_facts.ts";

/** How a start of bubblewrap failed. */
export interface BwrapFailure {
  readonly exitCode: number;
  readonly stderr: string;
}

/** Known causes. */
export type RestrictionModel =
  | "not-linux"
  | "wsl1"
  | "namespace-limit-zero"
  | "namespace-limit-reached"
  | "userns-clone-sysctl"
  | "chroot"
  | "ubuntu-apparmor"
  | "selinux"
  | "container-seccomp"
  | "container-read-only-proc"
  | "container-mounts"
  | "masked-proc"
  | "setuid-bwrap"
  | "old-bwrap"
  | "hardened-kernel"
  | "no-namespace-support"
  | "missing-path"
  | "no-such-account"
  | "unknown";

/**
 * Decide which cause a failure has. The order matters: what bubblewrap says without ambiguity comes first, then
 * settings that explain it, then guesses by surroundings.
 *
 * @param failure Exit code and stderr of bubblewrap.
 * @param host Settings of the machine.
 * @returns The most specific cause that fits.
 */
export function restrictionModel(failure: BwrapFailure, host: RestrictionFacts): RestrictionModel {
  if (host.os !== "linux") return "not-linux";
  if (host.container === "wsl1") return "wsl1";
  return plainModel(failure.stderr) ?? settingModel(failure.stderr, host) ??
    surroundingModel(failure.stderr, host);
}

/** bubblewrap itself names the cause. */
function plainModel(stderr: string): RestrictionModel | null {
  if (/cannot be started as uid/.test(stderr)) return "no-such-account";
  if (/setting up [ug]id map: invalid argument/i.test(stderr)) return "no-such-account";
  if (/unknown option/i.test(stderr)) return "old-bwrap";
  if (/setuid mode|not supported.*setuid|setuid.*not supported/i.test(stderr)) return "setuid-bwrap";
  if (/can't find source path|execvp /i.test(stderr)) return "missing-path";
  if (/max_user_namespaces: read-only file system/i.test(stderr)) return "container-read-only-proc";
  if (/max_user_namespaces: permission denied/i.test(stderr)) return "setuid-bwrap";
  if (/(open|read).*\/proc\/sys\/.*no such file/i.test(stderr)) return "masked-proc";
  if (/mount proc on/i.test(stderr)) return "masked-proc";
  return null;
}

/** A setting of the machine explains it. */
function settingModel(stderr: string, host: RestrictionFacts): RestrictionModel | null {
  if (host.maxUserNamespaces === 0) return "namespace-limit-zero";
  if (/enospc|no space left|nesting depth/i.test(stderr)) return "namespace-limit-reached";
  if (host.unprivilegedUsernsClone === 0) return "userns-clone-sysctl";
  if (!isRefusal(stderr)) return null;
  if (host.isChrooted === true && isNamespaceRefusal(stderr)) return "chroot";
  if (host.apparmorRestrictsUserns === 1 && host.container === null) return "ubuntu-apparmor";
  if (host.selinuxEnforces) return "selinux";
  return null;
}

/** Only the surroundings are left to explain it. */
function surroundingModel(stderr: string, host: RestrictionFacts): RestrictionModel {
  if (/not support user namespaces|invalid argument/i.test(stderr)) return "no-namespace-support";
  if (!isRefusal(stderr)) return "unknown";
  const isFiltered = host.seccompMode === 2 || isContainer(host);
  if (isFiltered && isNamespaceRefusal(stderr)) return "container-seccomp";
  if (isContainer(host)) return "container-mounts";
  if (host.apparmorRestrictsUserns === 1) return "ubuntu-apparmor";
  if (/hardened/i.test(host.kernelVersion)) return "hardened-kernel";
  if (isFiltered) return "container-mounts";
  return "unknown";
}

function isRefusal(stderr: string): boolean {
  return /permission denied|operation not permitted|no permissions? to/i.test(stderr);
}

/** The namespace itself was refused, not something inside it. */
function isNamespaceRefusal(stderr: string): boolean {
  return /new namespace/i.test(stderr);
}

function isContainer(host: RestrictionFacts): boolean {
  return host.container !== null && host.container !== "wsl2" && host.container !== "wsl1";
}
