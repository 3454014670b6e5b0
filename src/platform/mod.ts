/**
 * What this machine can do: probes that are run for real, facts for policy, findings for people.
 *
 * @module
 */

export { blockingFindings } from "./blocking_findings.ts";
export { probeBwrap } from "./bwrap.ts";
export { classifyBwrapFailure } from "./classify_bwrap_failure.ts";
export { installCommands } from "./install_commands.ts";
export { probePlatform } from "./probe_platform.ts";
export type { ProbePlatformOptions } from "./probe_platform.ts";
export type { Probed } from "./probed.ts";
export { restrictionFacts } from "./restriction_facts.ts";
export type { RestrictionFacts } from "./restriction_facts.ts";
export type { BwrapFailure, RestrictionModel } from "./restriction_model.ts";
export type { BwrapFacts, DenoFacts, PlatformFacts, PlatformReport } from "./types.ts";
