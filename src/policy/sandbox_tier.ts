/**
 * Which layers a plugin gets on this machine, or why it gets none.
 *
 * @module
 */

import type { SandboxMode } from "../config/types.ts";
import type { PlatformFacts } from "../platform/types.ts";
import type { Finding } from "../errors.ts";
import type { Tier } from "./types.ts";
import { SandboxUnavailableError } from "../errors.ts";
import { REQUIRED_BWRAP_OPTIONS } from "../util/bwrap_options.ts";

/**
 * Choose the strongest tier that the mode allows, or refuse.
 *
 * @param mode Confinement demanded.
 * @param facts What the machine can do.
 * @param known What the probes found, with their evidence: it stands in for what the facts alone tell.
 * @returns The tier to start in. Never a weaker one than `mode` names.
 * @throws {SandboxUnavailableError} If the machine cannot confine as demanded; `findings` say what is missing.
 */
export function sandboxTier(mode: SandboxMode, facts: PlatformFacts, known: readonly Finding[] = []): Tier {
  const unavailable = (demand: string, missing: readonly Finding[]): SandboxUnavailableError =>
    refusal(
      demand,
      missing.map((one) => known.find(({ id, level }) => id === one.id && explains(level, one)) ?? one),
    );
  const runtime = runtimeFindings(facts);
  if (runtime.length > 0) throw unavailable("as it has nothing to run on", runtime);
  if (mode === "permissions-only") return "permissions-only";
  const missing = [...kernelFindings(facts), ...bwrapFindings(facts)];
  if (missing.length === 0) return hasControlGroup(facts) ? "full" : "namespaces";
  if (mode === "required") throw unavailable('as sandbox: "required" demands', missing);
  const alsoMissing = [...kernelFindings(facts), ...landlockFindings(facts)];
  if (alsoMissing.length === 0) return "landlock";
  throw unavailable('as sandbox: "best-effort" demands', [...bwrapFindings(facts), ...alsoMissing]);
}

/** With less than both bounds it would be too little to be called a layer of its own. */
function hasControlGroup({ cgroup }: PlatformFacts): boolean {
  return cgroup !== null && ["memory", "pids"].every((name) => Object.hasOwn(cgroup.directories, name));
}

function refusal(demand: string, findings: readonly Finding[]): SandboxUnavailableError {
  const causes = findings.map((finding) => finding.summary).join("; ");
  const fix = findings.flatMap((finding) => finding.fix ?? [])[0];
  return new SandboxUnavailableError(`Cannot start a plugin ${demand}: ${causes}`, {
    findings,
    hint: fix === undefined
      ? "`cordon doctor` shows every check"
      : `${fix}; \`cordon doctor\` shows every check`,
  });
}

/** A question that could not be asked explains a missing answer, unless another one that failed is its reason. */
function explains(level: Finding["level"], { id }: Finding): boolean {
  return level === "fail" || (level === "skip" && id === "landlock");
}

function kernelFindings(facts: PlatformFacts): Finding[] {
  return facts.os === "linux" ? filterFindings(facts) : [operatingSystemFinding(facts)];
}

function landlockFindings(facts: PlatformFacts): Finding[] {
  if (facts.os !== "linux" || facts.landlockAbi > 0) return [];
  return [{
    id: "landlock",
    level: "fail",
    summary: "the kernel has no Landlock",
    evidence: `Landlock ABI ${facts.landlockAbi}, kernel ${facts.kernelRelease}`,
    fix: ["Boot a kernel from 5.13 on with lsm=…,landlock"],
  }];
}

function operatingSystemFinding(facts: PlatformFacts): Finding {
  return {
    id: "operating-system",
    level: "fail",
    summary: `there are no namespaces on ${facts.os}`,
    fix: [
      'Run the host on Linux, or write sandbox: "permissions-only" if Deno\'s permissions alone are enough',
    ],
  };
}

function runtimeFindings(facts: PlatformFacts): Finding[] {
  if (facts.deno !== null) return [];
  return [{
    id: "deno",
    level: "fail",
    summary: "the Deno runtime for plugins was not found",
    fix: ["Name the executable in the host's option `deno`"],
  }];
}

function bwrapFindings(facts: PlatformFacts): Finding[] {
  if (facts.os !== "linux") return [];
  if (facts.bwrap === null) {
    return [{
      id: "bwrap",
      level: "fail",
      summary: "bubblewrap is not installed",
      fix: ["apt install bubblewrap (or the same with dnf, pacman, zypper, apk)"],
    }];
  }
  // What cannot be started is not tried: that comes before the trial that there was none of.
  const { isSetuid, options, path, version } = facts.bwrap;
  const absent = REQUIRED_BWRAP_OPTIONS.filter((option) => !options.has(option));
  if (absent.length > 0) return [versionFinding(version, absent)];
  if (isSetuid) return [setuidFinding(path)];
  return facts.namespacesWork ? [] : [namespaceTrialFinding(facts, version)];
}

function versionFinding(version: string, absent: readonly string[]): Finding {
  return {
    id: "bwrap",
    level: "fail",
    summary: `bubblewrap ${version} is too old`,
    evidence: `it has no ${absent.map((option) => `--${option}`).join(", ")}`,
    fix: ["Install bubblewrap 0.8.0 or newer"],
  };
}

function setuidFinding(path: string): Finding {
  return {
    id: "bwrap",
    level: "fail",
    summary: "bubblewrap is installed setuid, which forbids switching nested user namespaces off",
    evidence: path,
    fix: [`sudo chmod u-s ${path}`],
  };
}

function namespaceTrialFinding(facts: PlatformFacts, version: string): Finding {
  return {
    id: "user-namespaces",
    level: "fail",
    summary: "a trial sandbox could not be started",
    evidence: `bubblewrap ${version}, kernel ${facts.kernelRelease}, container ${facts.container ?? "none"}`,
    fix: [
      facts.container === null
        ? "Allow unprivileged user namespaces for bubblewrap"
        : "Start the container with a seccomp profile that allows user namespaces",
    ],
  };
}

function filterFindings(facts: PlatformFacts): Finding[] {
  if (facts.seccompFilter && facts.arch !== "other") return [];
  return [{
    id: "seccomp",
    level: "fail",
    summary: facts.seccompFilter
      ? "there is no system call filter for this architecture"
      : "the kernel has no seccomp filters",
    fix: ["Run the host on x86_64 or aarch64 with CONFIG_SECCOMP_FILTER"],
  }];
}
