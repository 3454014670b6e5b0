/**
 * Turns a failure of bubblewrap into a cause and a repair that a person can act on.
 *
 * @module
 */

import type { Finding } from "../errors.ts";
import { installCommands } from "./install_commands.ts";
import type { RestrictionFacts } from "./restriction_facts.ts";
import { type BwrapFailure, type RestrictionModel, restrictionModel } from "./restriction_model.ts";

const EVIDENCE_CHARACTERS = 400;

const CONTAINER_FLAGS = "--security-opt seccomp=unconfined --security-opt apparmor=unconfined " +
  "--security-opt systempaths=unconfined";

/** A chroot cannot always be told from a filter. */
const CHROOT_STEP =
  "If this is a chroot, enter it by pivot_root instead, as systemd-nspawn -D <directory> does";

/** Summary and repair of each cause. The first step is the one to recommend; none begins by switching a defence off. */
const ADVICE: Readonly<
  Record<RestrictionModel, { readonly summary: string; readonly fix: readonly string[] }>
> = {
  "not-linux": {
    summary: "Sandboxes need Linux",
    fix: [
      "Run the host on Linux, in a Linux virtual machine or in WSL 2",
      'Or accept less, in writing: sandbox: "permissions-only"',
    ],
  },
  wsl1: {
    summary: "WSL 1 has no Linux kernel and therefore no namespaces",
    fix: ["In PowerShell: wsl --set-version <distribution> 2"],
  },
  "namespace-limit-zero": {
    summary: "The sysctl user.max_user_namespaces is 0: nobody may make a user namespace",
    fix: [
      "echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/90-user-namespaces.conf",
      "sudo sysctl --system",
    ],
  },
  "namespace-limit-reached": {
    summary: "A limit on namespaces was reached: their nesting depth, or a user.max_*_namespaces sysctl",
    fix: [
      "Look at the limits: sysctl user",
      "echo user.max_user_namespaces=15000 | sudo tee /etc/sysctl.d/90-user-namespaces.conf",
      "sudo sysctl --system",
    ],
  },
  "userns-clone-sysctl": {
    summary: "The sysctl kernel.unprivileged_userns_clone is 0: only root may make a user namespace",
    fix: [
      "echo kernel.unprivileged_userns_clone=1 | sudo tee /etc/sysctl.d/90-user-namespaces.conf",
      "sudo sysctl --system",
    ],
  },
  chroot: {
    summary: "The host runs in a chroot, in which the kernel lets nobody make a user namespace",
    fix: [
      "Enter the directory by pivot_root, as containers do: systemd-nspawn -D <directory>, or podman run --rootfs",
    ],
  },
  "ubuntu-apparmor": {
    summary: "AppArmor lets only programs with a profile use user namespaces, and bubblewrap's is not loaded",
    fix: [
      "sudo apt-get install -y apparmor-profiles",
      "sudo ln -sf /usr/share/apparmor/extra-profiles/bwrap-userns-restrict /etc/apparmor.d/bwrap-userns-restrict",
      "sudo apparmor_parser -r /etc/apparmor.d/bwrap-userns-restrict",
    ],
  },
  selinux: {
    summary: "SELinux refuses what bubblewrap needs",
    fix: [
      "See what was refused: sudo ausearch -m avc -ts recent",
      "In a container: start it with --security-opt label=disable",
      "Elsewhere: build a module from the refusals with audit2allow -M, read it, then semodule -i",
    ],
  },
  "container-seccomp": {
    summary: "A system call filter, probably the container engine's default one, forbids new namespaces",
    fix: [
      "Start the container with a seccomp profile that allows clone, unshare, mount, umount2, pivot_root and setns",
      `Or, simpler and wider: docker run ${CONTAINER_FLAGS} …`,
      "In Kubernetes: securityContext.seccompProfile.type: Localhost with such a profile",
      CHROOT_STEP,
    ],
  },
  "container-read-only-proc": {
    summary: "/proc/sys is read-only, so bubblewrap cannot switch off user namespaces inside the sandbox",
    fix: [
      "Docker: start the container with --security-opt systempaths=unconfined",
      "Podman: start the container with --security-opt unmask=/proc/sys",
      "Kubernetes: securityContext.procMount: Unmasked",
    ],
  },
  "container-mounts": {
    summary: "The container lets a process make namespaces but not mount inside them",
    fix: [
      `Start the container with ${CONTAINER_FLAGS}`,
      "Or give it an AppArmor profile that allows mount and pivot_root",
    ],
  },
  "masked-proc": {
    summary: "The /proc of this process is missing or masked where bubblewrap reads it",
    fix: [
      "In a chroot: mount -t proc proc /proc",
      "Docker: start the container with --security-opt systempaths=unconfined",
    ],
  },
  "setuid-bwrap": {
    summary: "bubblewrap is installed setuid root, where it cannot switch off nested user namespaces",
    fix: ["sudo chmod u-s $(command -v bwrap)"],
  },
  "old-bwrap": {
    summary: "bubblewrap is older than 0.8.0 and lacks options that confinement needs",
    fix: [
      "Install a newer one, from your distribution's backports if need be:",
      ...installCommands("bubblewrap"),
    ],
  },
  "hardened-kernel": {
    summary: "A hardened kernel keeps user namespaces for root",
    fix: [
      "sudo sysctl -w kernel.unprivileged_userns_clone=1",
      "Or boot the distribution's ordinary kernel",
    ],
  },
  "no-namespace-support": {
    summary: "This kernel was built without user namespaces",
    fix: ["Boot a kernel with CONFIG_USER_NS=y", 'Or accept less, in writing: sandbox: "best-effort"'],
  },
  "missing-path": {
    summary: "A file that the sandbox is made of is missing or not reachable for the account that starts it",
    fix: ["Check that the path in the evidence exists and that every directory above it may be entered"],
  },
  "no-such-account": {
    summary:
      "The unprivileged account that starts sandboxes of a root host cannot be switched to, or does not exist here",
    fix: [
      "Start the host under an ordinary account instead of root",
      "Or give the container a range of uids, so that 65534 exists in it",
      "Or name an account that exists: createHost({ runAs: { uid, gid } })",
    ],
  },
  unknown: {
    summary: "bubblewrap failed for a reason that is not known here",
    fix: [
      "Try it by hand: bwrap --unshare-user --unshare-pid --unshare-net --disable-userns --ro-bind / / true",
      "Look at the kernel's log: sudo dmesg | tail",
      CHROOT_STEP,
    ],
  },
};

/**
 * Say why bubblewrap failed and what to do about it.
 *
 * @param failure Exit code and stderr of bubblewrap.
 * @param host Settings of the machine, from `restrictionFacts()`.
 * @returns A finding of level `fail` with the id `user-namespaces`.
 */
export function classifyBwrapFailure(failure: BwrapFailure, host: RestrictionFacts): Finding {
  const model = restrictionModel(failure, host);
  const { summary, fix } = ADVICE[model];
  const printed = failure.stderr.trim().slice(0, EVIDENCE_CHARACTERS) || "nothing";
  return {
    id: "user-namespaces",
    level: "fail",
    summary,
    evidence: `${model}: bwrap ended with ${failure.exitCode} and printed: ${printed}`,
    fix,
  };
}
