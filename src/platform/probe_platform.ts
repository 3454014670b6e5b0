/**
 * Runs every probe at once and collects what this machine can do.
 *
 * @module
 */

import { ConfigError, type Finding } from "../errors.ts";
import { probeBwrap } from "./bwrap.ts";
import { probeCgroup } from "./cgroup.ts";
import { classifyBwrapFailure } from "./classify_bwrap_failure.ts";
import { detectContainer } from "./container.ts";
import { probeDenoRuntime } from "./deno_runtime.ts";
import { probeGpu } from "./gpu.ts";
import { probeLandlock } from "./landlock.ts";
import { openLibc } from "./libc.ts";
import { probeMemfd } from "./memfd.ts";
import { probeNamespaces, type TrialOptions } from "./namespaces.ts";
import type { Probed } from "./probed.ts";
import { operatingSystem, restrictionFacts } from "./restriction_facts.ts";
import { probeSeccomp } from "./seccomp.ts";
import type { BwrapFacts, DenoFacts, PlatformFacts, PlatformReport } from "./types.ts";

/** What to probe, and with which programs. */
export interface ProbePlatformOptions {
  /** Absolute path of bubblewrap. @default looked up in trusted places */
  readonly bwrap?: string | null;
  /** Absolute path of the Deno runtime for plugins. @default the runtime of this process */
  readonly deno?: string | null;
  /** Start a trial sandbox; without it `namespacesWork` is false. @default true */
  readonly trial?: boolean;
  /** Account under which a root host starts sandboxes. @default 65534:65534 */
  readonly runAs?: { readonly uid: number; readonly gid: number };
}

const NOBODY = { uid: 65534, gid: 65534 };

/**
 * Find out what this machine can confine, by trying. Whatever is missing is reported, not thrown.
 *
 * @param options Programs to use and whether to start a trial sandbox.
 * @returns Facts for policy, findings for people.
 * @throws {ConfigError} If a given path is not absolute.
 *
 * @example
 * ```ts
 * import { probePlatform } from "./probe_platform.ts";
 *
 * const { facts, findings } = await probePlatform({ trial: false });
 * console.log(facts.arch, findings.length);
 * ```
 */
export async function probePlatform(options: ProbePlatformOptions = {}): Promise<PlatformReport> {
  const bwrapPath = absolute("bwrap", options.bwrap ?? null);
  const denoPath = absolute("deno", options.deno ?? null);
  const os = operatingSystem(Deno.build.os);
  if (os !== "linux") return await unconfinable(os, denoPath);
  using libc = closing(openLibc());
  const landlock = probeLandlock(libc.value);
  const memfd = probeMemfd(libc.value);
  const [programs, cgroup, container, gpu] = await Promise.all([
    probePrograms(bwrapPath, denoPath, options),
    probeCgroup(libc.value),
    detectContainer(),
    probeGpu(),
  ]);
  const { bwrap, deno, namespaces, seccomp } = programs;
  const facts: PlatformFacts = {
    ...machine(os),
    bwrap: bwrap.fact,
    deno: deno.fact,
    namespacesWork: namespaces.fact,
    landlockAbi: landlock.fact,
    seccompFilter: seccomp.fact,
    cgroup: cgroup.fact,
    memfd: memfd.fact,
    container,
    gpuDevices: gpu.fact.devices,
    gpuLibraries: gpu.fact.libraries,
  };
  const probed = [bwrap, namespaces, deno, seccomp, landlock, cgroup, memfd, gpu].map(({ finding }) =>
    finding
  );
  return { facts, findings: [osFinding(facts), ...probed, containerFinding(container)] };
}

interface Programs {
  readonly bwrap: Probed<BwrapFacts | null>;
  readonly deno: Probed<DenoFacts | null>;
  readonly namespaces: Probed<boolean>;
  readonly seccomp: Probed<boolean>;
}

async function probePrograms(
  bwrapPath: string | null,
  denoPath: string | null,
  options: ProbePlatformOptions,
): Promise<Programs> {
  const [bwrap, deno] = await Promise.all([probeBwrap(bwrapPath), probeDenoRuntime(denoPath)]);
  const trial = trialOptions(bwrap, deno, options);
  const [namespaces, seccomp] = await Promise.all([
    typeof trial === "string" ? untried(trial) : probeNamespaces(trial),
    probeSeccomp(trial),
  ]);
  return { bwrap, deno, namespaces, seccomp };
}

/** What a trial needs, or why there can be none. */
function trialOptions(
  bwrap: Probed<BwrapFacts | null>,
  deno: Probed<DenoFacts | null>,
  options: ProbePlatformOptions,
): TrialOptions | string {
  if (options.trial === false) return "a trial was not asked for";
  if (bwrap.fact === null || bwrap.finding.level === "fail") return "bubblewrap cannot be used";
  if (deno.fact === null) return "there is no Deno runtime to put inside";
  const account = Deno.uid() === 0 ? options.runAs ?? NOBODY : undefined;
  return { bwrap: bwrap.fact, loader: deno.fact.loader, account };
}

function untried(reason: string): Probed<boolean> {
  const summary = `Namespaces were not tried, as ${reason}`;
  return { fact: false, finding: { id: "user-namespaces", level: "skip", summary } };
}

function machine(
  os: PlatformFacts["os"],
): Pick<PlatformFacts, "os" | "arch" | "kernelRelease" | "uid" | "gid"> {
  const { arch } = Deno.build;
  return {
    os,
    arch: arch === "x86_64" || arch === "aarch64" ? arch : "other",
    kernelRelease: Deno.osRelease(),
    uid: Deno.uid() ?? -1,
    gid: Deno.gid() ?? -1,
  };
}

/** Deno's own permissions are all there is: they need a runtime, and nothing else of the machine. */
async function unconfinable(os: PlatformFacts["os"], denoPath: string | null): Promise<PlatformReport> {
  const deno = await probeDenoRuntime(denoPath);
  const facts: PlatformFacts = {
    ...machine(os),
    bwrap: null,
    deno: deno.fact,
    namespacesWork: false,
    landlockAbi: 0,
    seccompFilter: false,
    cgroup: null,
    memfd: false,
    container: null,
    gpuDevices: [],
  };
  const finding = classifyBwrapFailure({ exitCode: -1, stderr: "" }, await restrictionFacts());
  const unconfined = { ...finding, id: "os", evidence: `operating system: ${Deno.build.os}` };
  return { facts, findings: [unconfined, deno.finding] };
}

function osFinding({ arch, kernelRelease }: PlatformFacts): Finding {
  const evidence = `kernel ${kernelRelease}, ${Deno.build.arch}`;
  if (arch !== "other") return { id: "os", level: "ok", summary: `Linux on ${arch}`, evidence };
  const summary = "System call filters exist for x86_64 and aarch64 only";
  return { id: "os", level: "fail", summary, evidence, fix: ["Use a machine of one of these architectures"] };
}

function containerFinding(container: PlatformFacts["container"]): Finding {
  const summary = container === null ? "Not in a container" : `Running in ${container}`;
  return { id: "container", level: container === "wsl1" ? "fail" : "ok", summary };
}

function absolute(path: "bwrap" | "deno", value: string | null): string | null {
  if (value === null || value.startsWith("/")) return value;
  throw new ConfigError(`Cannot use ${JSON.stringify(value)} as "${path}" must be an absolute path`, {
    path,
  });
}

function closing<T extends { close(): void }>(value: T | null): Disposable & { readonly value: T | null } {
  return { value, [Symbol.dispose]: () => value?.close() };
}
