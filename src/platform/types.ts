/**
 * What this machine can do, as facts that policy decides on and findings that people read.
 *
 * @module
 */

import type { Finding } from "../errors.ts";

/** A bubblewrap that was found and asked for its options. */
export interface BwrapFacts {
  readonly path: string;
  /** As printed, such as `"0.8.0"`. */
  readonly version: string;
  /** Long options without dashes that `--help` lists, such as `"ro-bind-fd"`. */
  readonly options: ReadonlySet<string>;
  /** The file has the setuid bit. */
  readonly isSetuid: boolean;
}

/** The Deno runtime that plugins run on. */
export interface DenoFacts {
  /** Real path of the executable. */
  readonly path: string;
  readonly version: string;
  /** Real path of the dynamic loader on the host. */
  readonly loader: string;
  /** Path under which the executable asks for its loader. */
  readonly loaderTarget: string;
  /** Shared libraries: where the loader looks for them inside, and the real file on the host. */
  readonly libraries: readonly { readonly target: string; readonly source: string }[];
}

/** Everything that policy needs to know about the machine. Plain data. */
export interface PlatformFacts {
  readonly os: "linux" | "darwin" | "windows" | "other";
  readonly arch: "x86_64" | "aarch64" | "other";
  readonly kernelRelease: string;
  /** Real uid and gid of the host process. */
  readonly uid: number;
  readonly gid: number;
  readonly bwrap: BwrapFacts | null;
  readonly deno: DenoFacts | null;
  /** A trial sandbox with all namespaces started and ended with 0. */
  readonly namespacesWork: boolean;
  /** Landlock ABI version, 0 when there is none. */
  readonly landlockAbi: number;
  readonly seccompFilter: boolean;
  /** A cgroup that this process may divide, or null. */
  readonly cgroup:
    | { readonly version: 1 | 2; readonly path: string; readonly controllers: readonly string[] }
    | null;
  readonly memfd: boolean;
  readonly container: "docker" | "podman" | "kubernetes" | "lxc" | "wsl1" | "wsl2" | "other" | null;
  /** Device nodes of GPUs that exist. */
  readonly gpuDevices: readonly string[];
}

/** Facts for policy, findings for people. */
export interface PlatformReport {
  readonly facts: PlatformFacts;
  readonly findings: readonly Finding[];
}
