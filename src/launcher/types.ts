/**
 * What the launcher is given and what it gives back.
 *
 * @module
 */

import type { SandboxPolicy } from "../policy/types.ts";
import type { ExitReason } from "../errors.ts";

/** The files and paths of the runtime that the sandbox is built from. Structurally a part of the platform's facts. */
export interface Runtime {
  readonly bwrap: { readonly path: string; readonly options: ReadonlySet<string> } | null;
  readonly deno: {
    readonly path: string;
    readonly loader: string;
    readonly loaderTarget: string;
    readonly libraries: readonly { readonly target: string; readonly source: string }[];
  };
}

/** One start of one sandbox. */
export interface LaunchRequest {
  readonly policy: SandboxPolicy;
  readonly runtime: Runtime;
  /**
   * Directory of this sandbox, made by `createSandboxDirectory()`. Owned by the launched guest from now on:
   * removed when it has exited.
   */
  readonly directory: SandboxDirectory;
  /** Path of the native library on the host, bound to /app/libcordon.so; null when there is none. */
  readonly nativeLibrary: string | null;
  /** Arguments after the guest's script: `Deno.args` of the plugin. */
  readonly args: readonly string[];
  /** `"piped"`: stdin is empty, output goes to `onOutput`. `"inherit"`: all three are the host's (`cordon run`). */
  readonly stdio: "piped" | "inherit";
  /** Called with every chunk of output, in order. The chunk belongs to the callee. */
  readonly onOutput?: (stream: "stdout" | "stderr", chunk: Uint8Array) => void;
  /** Descriptors of the host that the guest gets as 3, 4, …; the host keeps its own and closes them itself. */
  readonly inheritedFds?: readonly number[];
  /** Extra V8 or Deno flags for inspection, such as `--inspect-brk=…`. */
  readonly denoFlags?: readonly string[];
}

/** The private directory of one sandbox on the host (0700, owned by the account that bwrap runs under). */
export interface SandboxDirectory {
  /** The directory itself. */
  readonly path: string;
  /** Bound read-only to /app/plugin: the supervisor writes the bundle here, before or after the start. */
  readonly plugin: string;
  /** Listening socket for the guest's connection, bound to /run/cordon/rpc.sock. */
  readonly socket: string;
  /** Remove all of it. Idempotent. */
  remove(): Promise<void>;
}

/** How a guest ended. */
export interface ExitReport {
  readonly reason: ExitReason;
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stderrTail: string;
}

/** A running sandbox. Disposing kills it and waits until nothing is left. */
export interface LaunchedGuest extends AsyncDisposable {
  /** Pid of the process that was spawned. */
  readonly pid: number;
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
