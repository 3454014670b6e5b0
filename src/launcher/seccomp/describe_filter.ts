/**
 * A filter in words, for people who ask what a plugin can still call.
 *
 * @module
 */

import type { SeccompProfile } from "../../policy/types.ts";
import { syscallAbi } from "./architecture.ts";
import { ruleFor } from "./compile_filter.ts";
import { filterRules, type FilterStage } from "./filters.ts";
import type { ErrnoName } from "./rule.ts";

/** What a filter says about one system call. */
export interface SyscallVerdict {
  /** Name, as in the kernel's headers. */
  readonly name: string;
  /** `checked` passes or not by its arguments; an errno is what the caller gets. */
  readonly verdict: "allow" | "checked" | "kill" | ErrnoName;
}

/**
 * Lists every system call of an architecture with the verdict of a filter.
 *
 * @param stage Which of the two filters.
 * @param profile What the policy leaves open.
 * @param architecture As in `Deno.build.arch`.
 * @returns One entry a call, by number.
 * @throws {SandboxUnavailableError} If the architecture is not known.
 *
 * @example
 * ```ts
 * import { describeFilter } from "./describe_filter.ts";
 *
 * const calls = describeFilter("guest", { network: false, unix: false, gpu: false }, "x86_64");
 * console.log(calls.find(({ name }) => name === "ptrace")?.verdict); // "EPERM"
 * ```
 */
export function describeFilter(
  stage: FilterStage,
  profile: SeccompProfile,
  architecture: string,
): readonly SyscallVerdict[] {
  const rules = filterRules(stage, profile);
  return Object.keys(syscallAbi(architecture).numbers).map((name) => {
    const rule = ruleFor(rules, name);
    if (rule.kind === "errno") return { name, verdict: rule.errno };
    return { name, verdict: rule.kind === "check" ? "checked" : rule.kind };
  });
}
