/**
 * What cordon-exec is told to take away.
 *
 * @module
 */

import type { Account } from "../../policy/types.ts";

/** Name of a resource limit, as in `RLIMIT_…`. */
export type RlimitName =
  | "cpu"
  | "fsize"
  | "data"
  | "stack"
  | "core"
  | "rss"
  | "nproc"
  | "nofile"
  | "memlock"
  | "as"
  | "locks"
  | "sigpending"
  | "msgqueue"
  | "nice"
  | "rtprio"
  | "rttime";

/** A bound in the limit's unit; one value is both the soft and the hard one. */
export type RlimitValue = number | "unlimited" | {
  readonly soft: number | "unlimited";
  readonly hard: number | "unlimited";
};

/** Resource limits by name. What is not named stays as it is. */
export type Rlimits = Readonly<Partial<Record<RlimitName, RlimitValue>>>;

/** Newest Landlock ABI whose rights cordon-exec knows. */
export const LANDLOCK_ABI_KNOWN = 7;

/** What Landlock leaves open. Absolute paths as cordon-exec sees them; all of them must exist. */
export interface LandlockPlan {
  /** Exactly the rights of this ABI are enforced, from 1 to `LANDLOCK_ABI_KNOWN`; a kernel that is older is a failure. */
  readonly abi: number;
  /** Files and directories to read. */
  readonly readOnly: readonly string[];
  /** Files and directories to read and to execute. */
  readonly executable: readonly string[];
  /** Files and directories to do anything with, except executing and making device nodes. */
  readonly readWrite: readonly string[];
  /** Device nodes to read, write and control, and directories of such. */
  readonly devices: readonly string[];
  /** TCP ports to connect to; from ABI 4 on. */
  readonly tcpConnect: "any" | readonly number[];
  /** TCP ports to bind to; from ABI 4 on. */
  readonly tcpBind: "any" | readonly number[];
  /** No abstract sockets of, and no signals to, processes outside; from ABI 6 on. */
  readonly scope: boolean;
}

/** One start through cordon-exec. `no_new_privs` is always set. */
export interface ExecPlan {
  /** Resource limits to set. */
  readonly rlimits: Rlimits;
  /** What Landlock leaves open; null leaves it out. */
  readonly landlock: LandlockPlan | null;
  /** Die when the process with this pid, which must be the parent, dies; null outlives it. */
  readonly parentPid: number | null;
  /** Descriptor from which a system call filter is read; null installs none. */
  readonly seccompFd: number | null;
  /** Close every descriptor from here on; null closes none. */
  readonly closeFrom: number | null;
}

/** A start that cordon-exec watches over as the parent of the program. */
export interface GuardPlan {
  /** Everything ends when the process with this pid, which must be the parent, dies. */
  readonly parentPid: number;
  /**
   * Descriptor to which the guard writes, as a line of JSON, how the kernel saw the command's first child end. @default none
   */
  readonly reportFd?: number;
  /** What the guard takes over once it exists. @default nothing: it was started with all that it needs */
  readonly handOver?: {
    /** How many wait in its standard input, a socket; they become 3, 4, … and a connection to `statusPath` the next. */
    readonly descriptors: number;
    /** Absolute path of a Unix socket that listens. */
    readonly statusPath: string;
    /** Which of them becomes standard input; null for an empty one. */
    readonly stdinFd: number | null;
    /** Account to change to; null to stay. */
    readonly account: Account | null;
  };
}
