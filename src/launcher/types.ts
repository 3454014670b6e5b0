/**
 * What the launcher is given and what it gives back.
 *
 * @module
 */

import type { RunSockets } from "./run_sockets.ts";
import type { CompiledFilters } from "./seccomp/compiled_filters.ts";
import type { SandboxPolicy } from "../policy/types.ts";
import type { ExitReason } from "../errors.ts";

/** The files and paths of the runtime that the sandbox is built from. Structurally a part of the platform's facts. */
export interface Runtime {
  /** Bubblewrap with the options that it knows; null where there is none. */
  readonly bwrap: { readonly path: string; readonly options: ReadonlySet<string> } | null;
  /** The Deno runtime: executable, dynamic loader and libraries, each by where it is and where it is looked for. */
  readonly deno: {
    readonly path: string;
    readonly loader: string;
    readonly loaderTarget: string;
    readonly libraries: readonly { readonly target: string; readonly source: string }[];
  };
}

/** Files of the host that all its sandboxes share, in places that the sandboxes' account can reach. */
export interface HostFiles {
  /** The Deno executable. */
  readonly deno: string;
  /** The guest's script. */
  readonly guest: string;
  /** The native library; null when there is none. */
  readonly library: string | null;
  /** The helper that sets resource limits and Landlock; null where there is none for this architecture. */
  readonly exec: string | null;
  /** The frequency of the processor's clock, for runtimes that would measure it: 3 ms of a start; else absent. */
  readonly clock?: string;
}

/** What the native library does for a start. */
export interface DescriptorPassing {
  /** Two ends of a socket of messages. The caller closes both. */
  socketPair(): readonly [number, number];
  /** Send a message and a descriptor; false if there is no room. */
  send(fd: number, message: Uint8Array, passFd?: number): boolean;
  /** Close a descriptor. */
  close(fd: number): void;
}

/** One start of one sandbox. */
export interface LaunchRequest {
  /** What confines the plugin. */
  readonly policy: SandboxPolicy;
  /** What the sandbox is built from. */
  readonly runtime: Runtime;
  /** Shared files, from `HostDirectory.files`. */
  readonly files: HostFiles;
  /** System call filters that were compiled before. @default none */
  readonly filters?: CompiledFilters;
  /**
   * Directory of this sandbox, made by `HostDirectory.createSandboxDirectory()`. Owned by the launched guest from now
   * on, also when the launch fails: removed when the guest has exited.
   */
  readonly directory: SandboxDirectory;
  /** Arguments of the guest's script after the path of its settings: `Deno.args.slice(1)` of the guest. */
  readonly args: readonly string[];
  /** `"piped"`: stdin is empty, output goes to `onOutput`. `"inherit"`: all three are the host's (`cordon run`). */
  readonly stdio: "piped" | "inherit";
  /** Called with every chunk of output, in order. The chunk belongs to the callee. */
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Hands descriptors over after the start, which is much faster for large hosts. @default they are inherited */
  readonly native?: DescriptorPassing;
  /** Descriptors of the host that the guest gets as 3, 4, …; the host keeps its own and closes them itself. */
  readonly inheritedFds?: readonly number[];
  /** A permission broker listens at `broker.sock` in the directory's `run`; the runtime asks it. @default false */
  readonly hasBroker?: boolean;
  /** Extra V8 or Deno flags for inspection, such as `--inspect-brk=…`. */
  readonly denoFlags?: readonly string[];
}

/** Where the guest finds what the host put there: inside the sandbox, or on the host in tiers without mounts. */
export interface SandboxPaths extends RunSockets {
  /** The Deno executable. */
  readonly deno: string;
  /** The helper in front of it; null where there is none. */
  readonly exec: string | null;
  /** The guest's script. */
  readonly guest: string;
  /** The native library; null where there is none. */
  readonly library: string | null;
  /** Where the runtime looks for the frequency of the processor's clock; absent where nothing can be put there. */
  readonly clock?: string;
  /** Directory with the bundle. */
  readonly plugin: string;
  /** Directory with the sockets and the settings. */
  readonly run: string;
  /** The guest's settings. */
  readonly boot: string;
}

/** The private directory of one sandbox on the host (0700, owned by the account that the sandbox runs under). */
export interface SandboxDirectory {
  /** The directory itself. */
  readonly path: string;
  /** Read-only inside as /app/plugin: the supervisor writes the bundle here, before or after the start. */
  readonly plugin: string;
  /** Read-only inside as /run/cordon. */
  readonly run: string;
  /** Where the launcher listens for the guest's connection; `/run/cordon/rpc.sock` inside. */
  readonly socket: string;
  /** Where the supervisor writes the guest's settings; `/run/cordon/boot.json` inside. */
  readonly boot: string;
  /**
   * Write a file that the guest may read.
   *
   * @param path Absolute path at or below this directory; missing directories are made.
   * @param content The whole content.
   */
  write(path: string, content: string | Uint8Array): void;
  /** Remove all of it. Idempotent. */
  remove(): Promise<void>;
}

/** What one host keeps in the runtime directory: shared files and one directory for each sandbox. */
export interface HostDirectory extends AsyncDisposable {
  /** The directory itself; its lock is held as long as the host lives. */
  readonly path: string;
  /** The shared files, installed. */
  readonly files: HostFiles;
  /** Make the private directory of one sandbox. The caller owns it until it is given to `launch()`. */
  createSandboxDirectory(): SandboxDirectory;
}

/** How a guest ended. */
export interface ExitReport {
  /** What explains the end best. */
  readonly reason: ExitReason;
  /** Exit code; null if a signal ended it. */
  readonly exitCode: number | null;
  /** Name of the signal that ended it, such as `"SIGKILL"`; null if it ended by itself. */
  readonly signal: string | null;
  /** The last 8 KiB that it wrote to stderr. */
  readonly stderrTail: string;
}

/** A running sandbox. Disposing kills it and waits until nothing is left. */
export interface LaunchedGuest extends AsyncDisposable {
  /** Pid of the process that was spawned. */
  readonly pid: number;
  /** Pid of the guest's own process as the host sees it; null if it never started. Never rejects. */
  readonly guestPid: Promise<number | null>;
  /** Where the guest finds its files. */
  readonly paths: SandboxPaths;
  /** Next connection on the sandbox's socket; rejects when the guest exits first or `signal` aborts. */
  accept(signal: AbortSignal): Promise<Deno.UnixConn>;
  /** No more connections: closes the listener and unlinks the socket. Idempotent. */
  closeListener(): void;
  /** Settles once, when every process of the sandbox is gone and its directory removed. Never rejects. */
  readonly exited: Promise<ExitReport>;
  /** The guest said goodbye: an exit from now on is deliberate. */
  noteGoodbye(): void;
  /** SIGKILL to the sandbox's pid 1, at once. The first `reason` wins. */
  kill(reason: ExitReason): void;
  /** The last 8 KiB of stderr so far. */
  stderrTail(): string;
}
