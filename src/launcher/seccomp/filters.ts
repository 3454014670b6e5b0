/**
 * The two filters of a sandbox: a first one from its first instruction, a second, narrower one before plugin code.
 *
 * Both stay in force together; for each call the kernel follows the stricter one.
 *
 * @module
 */

import type { SeccompProfile } from "../../policy/types.ts";
import { syscallAbi } from "./architecture.ts";
import { commonRules, PRCTL_COMMON } from "./common_rules.ts";
import { compileFilter } from "./compile_filter.ts";
import { gpuRules } from "./gpu_rules.ts";
import { hostFilesRules } from "./host_files_rules.ts";
import { networkRules } from "./network_rules.ts";
import { ALLOW, check, oneOf, type RuleSet, withAny, without } from "./rule.ts";

/** When a filter is in force: from the sandbox's first instruction, or from before the first line of plugin code. */
export type FilterStage = "bwrap" | "guest";

const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const SECCOMP_SET_MODE_FILTER = 1;
const SECCOMP_FILTER_FLAG_TSYNC = 1;
const SOL_SOCKET = 1;
const SO_SNDBUF = 7;
const PROT_EXEC = 4;
const MAP_ANONYMOUS = 0x20;

/**
 * The filter for `bwrap --seccomp`: it is in force when cordon-exec starts, and lets it set limits, enter Landlock
 * and become Deno, and lets Deno start, open its library and connect to the host.
 *
 * @param profile What the policy leaves open.
 * @param architecture As in `Deno.build.arch`.
 * @returns `struct sock_filter[]`, little-endian.
 * @throws {SandboxUnavailableError} If the architecture is not known.
 *
 * @example
 * ```ts
 * import { bwrapFilter } from "./filters.ts";
 *
 * const filter = bwrapFilter({ network: false, unix: false, gpu: false }, "x86_64");
 * console.log(filter.byteLength / 8, "instructions");
 * ```
 */
export function bwrapFilter(profile: SeccompProfile, architecture: string): Uint8Array {
  return compileFilter(filterRules("bwrap", profile), syscallAbi(architecture));
}

/**
 * The filter that the guest puts on all its threads once it is connected. It takes away exec, sockets (unless the
 * policy grants them), further filters, Landlock, raising limits, and mapping files as code.
 *
 * Anonymous memory files are not made here either: the host makes all that tensors live in, and so counts them. With
 * a GPU or a network, mapping files as code stays possible: the driver and the name
 * resolver load libraries late.
 *
 * @param profile What the policy leaves open.
 * @param architecture As in `Deno.build.arch`.
 * @returns `struct sock_filter[]`, little-endian.
 * @throws {SandboxUnavailableError} If the architecture is not known.
 *
 * @example
 * ```ts
 * import { guestFilter } from "./filters.ts";
 *
 * const filter = guestFilter({ network: false, unix: false, gpu: false }, "aarch64");
 * console.log(filter.byteLength / 8, "instructions");
 * ```
 */
export function guestFilter(profile: SeccompProfile, architecture: string): Uint8Array {
  return compileFilter(filterRules("guest", profile), syscallAbi(architecture));
}

/**
 * The rules of a stage, before they are compiled.
 *
 * @param stage Which filter.
 * @param profile What the policy leaves open.
 * @returns Rules by name of the call; what is not named is refused with EPERM.
 *
 * @example
 * ```ts
 * import { filterRules } from "./filters.ts";
 *
 * console.log(filterRules("guest", { network: false, unix: false, gpu: false }).has("execve")); // false
 * ```
 */
export function filterRules(stage: FilterStage, profile: SeccompProfile): RuleSet {
  return new Map([
    ...commonRules(),
    ...(profile.gpu ? gpuRules() : []),
    ...(profile.hostFiles === true ? hostFilesRules() : []),
    ...(stage === "bwrap" ? startRules(profile) : pluginRules(profile)),
  ]);
}

function startRules(profile: SeccompProfile): RuleSet {
  const filterFlags = ~SECCOMP_FILTER_FLAG_TSYNC >>> 0;
  return new Map([
    ["setsockopt", check("EPERM", [oneOf(1, [SOL_SOCKET]), oneOf(2, [SO_SNDBUF])])],
    ...networkRules({ network: profile.network || profile.inspector === true, unix: true }),
    ["execve", ALLOW],
    ["arch_prctl", ALLOW],
    ["landlock_create_ruleset", ALLOW],
    ["landlock_add_rule", ALLOW],
    ["landlock_restrict_self", ALLOW],
    ["prlimit64", check("EPERM", [oneOf(0, [0])])],
    ["prctl", check("EINVAL", [oneOf(0, [...PRCTL_COMMON, PR_SET_PDEATHSIG, PR_SET_NO_NEW_PRIVS])])],
    ["seccomp", check("EPERM", [oneOf(0, [SECCOMP_SET_MODE_FILTER]), without(1, filterFlags)])],
  ]);
}

function pluginRules(profile: SeccompProfile): RuleSet {
  const loadsLibraries = profile.gpu || profile.network;
  return new Map([
    ...networkRules(profile),
    ["mmap", loadsLibraries ? ALLOW : check("EPERM", [without(2, PROT_EXEC)], [withAny(3, MAP_ANONYMOUS)])],
  ]);
}
