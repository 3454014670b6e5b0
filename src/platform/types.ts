/**
 * What this machine can do, as facts that policy decides on and findings that people read.
 *
 * @module
 */

import type { Finding } from "../errors.ts";

/** A bubblewrap that was found and asked for its options. */
export interface BwrapFacts {
  /** Absolute path. */
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
  /** As `Deno.version.deno`. */
  readonly version: string;
  /** Real path of the dynamic loader on the host; empty where no sandbox needs to know. */
  readonly loader: string;
  /** Path under which the executable asks for its loader; empty likewise. */
  readonly loaderTarget: string;
  /** Shared libraries: where the loader looks for them inside, and the real file on the host. */
  readonly libraries: readonly { readonly target: string; readonly source: string }[];
}

/** A library of a GPU's driver. */
export interface GpuLibrary {
  /** Name that the loader asks for. */
  readonly name: string;
  /** The real file. */
  readonly source: string;
}

/** Everything that policy needs to know about the machine. Plain data. */
export interface PlatformFacts {
  /** Operating system, as `Deno.build.os` names it. */
  readonly os: "linux" | "darwin" | "windows" | "other";
  /** Processor, as `Deno.build.arch` names it. */
  readonly arch: "x86_64" | "aarch64" | "other";
  /** What `uname -r` says. */
  readonly kernelRelease: string;
  /** Real uid of the host process. */
  readonly uid: number;
  /** Real gid of the host process. */
  readonly gid: number;
  /** Bubblewrap, or null where there is none that works. */
  readonly bwrap: BwrapFacts | null;
  /** The runtime that plugins run on, or null where there is none that works. */
  readonly deno: DenoFacts | null;
  /** A trial sandbox with all namespaces started and ended with 0. */
  readonly namespacesWork: boolean;
  /** Landlock ABI version, 0 when there is none. */
  readonly landlockAbi: number;
  /** The kernel takes system call filters. */
  readonly seccompFilter: boolean;
  /** A cgroup that this process may divide, or null. */
  readonly cgroup:
    | {
      readonly version: 1 | 2;
      readonly path: string;
      readonly controllers: readonly string[];
      /** Controller → directory of this process' own group, in which leaves can be made. */
      readonly directories: Readonly<Record<string, string>>;
    }
    | null;
  /** Memory can be shared by descriptor. */
  readonly memfd: boolean;
  /** The kind of container around us, or null. */
  readonly container: "docker" | "podman" | "kubernetes" | "lxc" | "wsl1" | "wsl2" | "other" | null;
  /** Device nodes of GPUs that exist. */
  readonly gpuDevices: readonly string[];
  /** Libraries of their driver. @default none */
  readonly gpuLibraries?: readonly GpuLibrary[];
}

/** Facts for policy, findings for people. */
export interface PlatformReport {
  /** What policy needs to know. */
  readonly facts: PlatformFacts;
  /** What a person should know, with the fix for what is missing. */
  readonly findings: readonly Finding[];
}
