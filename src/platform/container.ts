/**
 * Recognises the container or subsystem that this process lives in.
 *
 * @module
 */

import type { PlatformFacts } from "./types.ts";
import { readableVariable } from "../util/readable_variable.ts";
import { isAbsent, readFact } from "./read_fact.ts";

/** Traces that containers leave. */
export interface ContainerTraces {
  /** `/proc/version`. */
  readonly kernelVersion: string;
  /** `/.dockerenv` exists. */
  readonly hasDockerenv: boolean;
  /** `/run/.containerenv` exists. */
  readonly hasContainerenv: boolean;
  /** The variable `KUBERNETES_SERVICE_HOST` is set. */
  readonly hasKubernetesService: boolean;
  /** The variable `container` of this process or `/run/systemd/container`. */
  readonly announced: string;
  /** `/proc/1/cgroup`. */
  readonly firstProcessCgroup: string;
}

/**
 * Recognise a container by its traces.
 *
 * @param traces What was found.
 * @returns Its kind, or null on an ordinary machine.
 */
export function containerKind(traces: ContainerTraces): PlatformFacts["container"] {
  const { kernelVersion, announced, firstProcessCgroup } = traces;
  if (traces.hasKubernetesService || firstProcessCgroup.includes("kubepods")) return "kubernetes";
  if (traces.hasDockerenv || /\/docker[/-]/.test(firstProcessCgroup) || announced === "docker") {
    return "docker";
  }
  if (traces.hasContainerenv || /libpod/.test(firstProcessCgroup) || announced === "podman") return "podman";
  if (/^lxc/.test(announced) || /\/lxc[/.]/.test(firstProcessCgroup)) return "lxc";
  if (announced !== "" && announced !== "wsl") return "other";
  if (/microsoft-standard|WSL2/.test(kernelVersion)) return "wsl2";
  if (/Microsoft/.test(kernelVersion)) return "wsl1";
  return null;
}

/**
 * Look for the traces of a container around this process.
 *
 * @returns Its kind, or null on an ordinary machine.
 */
export async function detectContainer(): Promise<PlatformFacts["container"]> {
  const [kernelVersion, hasDockerenv, hasContainerenv, announced, firstProcessCgroup] = await Promise.all([
    readFact("/proc/version"),
    exists("/.dockerenv"),
    exists("/run/.containerenv"),
    readFact("/run/systemd/container"),
    readFact("/proc/1/cgroup"),
  ]);
  return containerKind({
    kernelVersion: kernelVersion ?? "",
    hasDockerenv,
    hasContainerenv,
    hasKubernetesService: (readableVariable("KUBERNETES_SERVICE_HOST") ?? "") !== "",
    announced: announced ?? readableVariable("container") ?? "",
    firstProcessCgroup: firstProcessCgroup ?? "",
  });
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (isAbsent(error)) return false;
    throw error;
  }
}
