/**
 * One sandbox from its start until nothing of it is left.
 *
 * @module
 */

import type { ChildProcess } from "node:child_process";
import type { Readable } from "node:stream";
import type { ExitReason } from "../errors.ts";
import type { ExitReport, LaunchedGuest, LaunchRequest, SandboxPaths } from "./types.ts";
import type { ControlGroup } from "./control_group.ts";
import type { GuestSocket } from "./guest_socket.ts";
import { LaunchError } from "../errors.ts";
import { hasMounts } from "../policy/has_mounts.ts";
import { groupError } from "./group_error.ts";
import { CpuGovernor } from "./cpu_governor.ts";
import { BwrapStatusReader } from "./bwrap_status.ts";
import { checkMounts, type ExpectedMount } from "./mount_check.ts";
import { exitReport } from "./exit_report.ts";
import { OutputTail } from "./output_tail.ts";
import { ScratchWatch } from "./scratch_watch.ts";
import { signalProcess } from "./signal_process.ts";
import { killStrays } from "./stray_processes.ts";

const STDERR_TAIL_BYTES = 8192;
/** Bubblewrap reports its child within milliseconds; if it does not, its guard is told to end everything. */
const STATUS_GRACE_MS = 1000;
/** How often it is looked for what a guard that was killed has left. */
const CLEAR_UP_MS = 100;

/** What a running guest is made of. It owns all of it. */
export interface RunningGuestParts {
  readonly child: ChildProcess;
  readonly socket: GuestSocket;
  readonly request: LaunchRequest;
  readonly paths: SandboxPaths;
  /** Index of bubblewrap's status pipe in `child.stdio`, `"socket"` for a connection, or null without bubblewrap. */
  readonly status: number | "socket" | null;
  /** The control group that it is in, or null. */
  readonly group: ControlGroup | null;
  /** Mounts to check in the running sandbox before anybody talks to it. */
  readonly unpinned: readonly ExpectedMount[];
}

/** Watches the process that was started; made in the same turn as the process, so that no event is missed. */
export class RunningGuest implements LaunchedGuest {
  readonly pid: number;
  readonly guestPid: Promise<number | null>;
  readonly paths: SandboxPaths;
  readonly exited: Promise<ExitReport>;
  readonly #parts: RunningGuestParts;
  readonly #startedAt = performance.now();
  readonly #stderr = new OutputTail(STDERR_TAIL_BYTES);
  readonly #status = new BwrapStatusReader();
  readonly #guestPid = Promise.withResolvers<number | null>();
  readonly #report = Promise.withResolvers<ExitReport>();
  readonly #entered: Promise<void>;
  #statusEnd: Promise<void> | null = null;
  readonly #watches = new DisposableStack();
  #outputBytes = 0;
  #isConnected = false;
  #saidGoodbye = false;
  #hasEnded = false;
  #killReason: ExitReason | null = null;
  #isWatched = false;
  #killTimer: ReturnType<typeof setTimeout> | undefined;
  #clearUpTimer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param parts What it is made of; `child` has a pid.
   */
  constructor(parts: RunningGuestParts) {
    const { child, paths } = parts;
    this.#parts = parts;
    this.pid = child.pid!;
    this.paths = paths;
    this.guestPid = this.#guestPid.promise;
    this.#watchOutput("stdout", child.stdout);
    this.#watchOutput("stderr", child.stderr);
    this.#watchStatus();
    this.#entered = this.#enterGroup();
    // Whoever accepts the connection hears of it.
    this.#entered.catch(() => {});
    this.exited = this.#exit();
  }

  async accept(signal: AbortSignal): Promise<Deno.UnixConn> {
    signal.throwIfAborted();
    const { socket, request } = this.#parts;
    const ended = this.#report.promise.then(async (report): Promise<never> => {
      await this.#entered;
      throw endedError(request.policy.plugin, report);
    });
    const connection = await socket.accept(ended, signal);
    this.#isConnected = true;
    try {
      await this.#entered;
      await this.#checkMounts();
      await this.#watchLimits();
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  closeListener(): void {
    this.#parts.socket[Symbol.dispose]();
  }

  noteGoodbye(): void {
    this.#saidGoodbye = true;
  }

  kill(reason: ExitReason): void {
    this.#killReason ??= reason;
    this.#killNow();
  }

  stderrTail(): string {
    return this.#stderr.text();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("killed-by-host");
    await this.exited;
  }

  /** From the first connection on: what the runtime uses for its own start is not the plugin's. */
  async #watchLimits(): Promise<void> {
    const { policy } = this.#parts.request;
    const { tmpBytes } = policy.limits;
    const isGoverned = policy.enforcement.cpuPercent.mechanism === "watchdog";
    const cpuPercent = isGoverned ? policy.limits.cpuPercent : null;
    const hasScratch = tmpBytes > 0 && hasMounts(policy.tier);
    if (this.#isWatched || (cpuPercent === null && !hasScratch)) return;
    const pid = await this.guestPid;
    if (pid === null || this.#hasEnded || this.#isWatched) return;
    this.#isWatched = true;
    if (cpuPercent !== null) this.#watches.use(new CpuGovernor(pid, cpuPercent, () => this.#isAlive()));
    if (!hasScratch) return;
    this.#watches.use(new ScratchWatch(pid, policy.limits.tmpInodes, () => this.kill("memory-limit")));
  }

  /**
   * While the runtime boots: the kernel waits for all processors then. Nothing of the plugin has run, and nothing will
   * before its memory, processes and time are bounded.
   */
  async #enterGroup(): Promise<void> {
    const { group, request } = this.#parts;
    if (group === null) return;
    const pid = await this.guestPid;
    if (pid === null) return;
    try {
      await group.enter(pid);
    } catch (cause) {
      this.kill("sandbox-setup-failed");
      throw groupError(request.policy.plugin, cause);
    }
  }

  /** Whoever connects has been executed, so everything is mounted. */
  async #checkMounts(): Promise<void> {
    const { unpinned } = this.#parts;
    if (unpinned.length === 0) return;
    const pid = await this.guestPid;
    try {
      if (pid !== null) checkMounts(pid, unpinned, this.#parts.request.files.exec);
    } catch (error) {
      this.kill("sandbox-setup-failed");
      throw error;
    }
  }

  #watchOutput(name: "stdout" | "stderr", stream: Readable | null): void {
    stream?.on("data", (chunk: Uint8Array) => {
      if (name === "stderr") this.#stderr.push(chunk);
      this.#outputBytes += chunk.length;
      if (this.#outputBytes > this.#parts.request.policy.limits.outputBytes) return this.kill("output-limit");
      this.#parts.request.onOutput?.(name, chunk);
    });
  }

  #watchStatus(): void {
    const { child, socket, status } = this.#parts;
    if (status === null) return this.#guestPid.resolve(this.pid);
    if (status === "socket") this.#statusEnd = socket.readStatus(this.#takeStatus);
    else (child.stdio[status] as Readable).on("data", this.#takeStatus);
  }

  readonly #takeStatus = (chunk: Uint8Array): void => {
    const { childPid } = this.#status.push(chunk);
    if (childPid === null) return;
    this.#guestPid.resolve(childPid);
    if (this.#killReason !== null) this.#killNow();
  };

  /**
   * The kernel ends everything in a pid namespace with its first process; bubblewrap and its guard then end by themselves. Once the
   * process that was spawned has been waited for, pids below it may belong to others.
   */
  #killNow(): void {
    const { child, status } = this.#parts;
    if (!this.#isAlive()) return;
    const { childPid } = this.#status.status;
    if (status === null) child.kill("SIGKILL");
    else if (childPid !== null) signalProcess(childPid, "SIGKILL");
    // The guard takes that as the host's death and leaves nothing behind.
    const last = status === null ? "SIGKILL" : "SIGTERM";
    this.#killTimer ??= setTimeout(() => this.#isAlive() && signalProcess(this.pid, last), STATUS_GRACE_MS);
  }

  /**
   * The guard was killed itself. A bubblewrap that dies with it in its first milliseconds leaves a child that waits for ever,
   * and holds the streams whose end is the end of the sandbox.
   */
  #clearUp(): void {
    killStrays(this.#parts.request.directory.path);
    this.#clearUpTimer = setTimeout(() => this.#clearUp(), CLEAR_UP_MS);
  }

  #isAlive(): boolean {
    const { child } = this.#parts;
    return child.exitCode === null && child.signalCode === null;
  }

  /** The report comes before the socket is closed, so that whoever waits for a connection hears the reason. */
  async #exit(): Promise<ExitReport> {
    const { child, socket } = this.#parts;
    const { promise: closed, resolve } = Promise.withResolvers<[number | null, string | null]>();
    child.once("exit", (_code: number | null, signal: string | null) => {
      if (signal !== null && this.#parts.status !== null) this.#clearUp();
    });
    child.once("close", (code: number | null, signal: string | null) => resolve([code, signal]));
    const ended = await closed;
    await socket.endStatus().then(() => this.#statusEnd).catch(leaveToHost);
    this.#guestPid.resolve(null);
    // Whoever accepts the connection hears why it was not entered; a group is not removed while it is being entered.
    await this.#entered.catch(leaveToHost);
    const report = this.#reportOf(...ended);
    this.#hasEnded = true;
    clearTimeout(this.#killTimer);
    clearTimeout(this.#clearUpTimer);
    this.#report.resolve(report);
    await this.#removeAll();
    return report;
  }

  /** All of it, whichever of it fails. */
  async #removeAll(): Promise<void> {
    const { group, socket, request } = this.#parts;
    const rest = new AsyncDisposableStack();
    rest.use(socket);
    rest.defer(() => request.directory.remove());
    if (group !== null) rest.use(group);
    rest.use(this.#watches);
    await rest.disposeAsync().catch(leaveToHost);
  }

  #reportOf(code: number | null, signal: string | null): ExitReport {
    return exitReport({
      code,
      signal,
      isBwrap: this.#parts.status !== null,
      isExecuted: this.#status.status.exitCode !== null,
      waitStatus: this.#status.status.waitStatus,
      isConnected: this.#isConnected,
      saidGoodbye: this.#saidGoodbye,
      killReason: this.#killReason,
      isOutOfMemory: this.#parts.group?.hasBeenOutOfMemory() ?? false,
      mayHaveUsedUpCpu: this.#mayHaveUsedUpCpu(),
      stderrTail: this.stderrTail(),
    });
  }

  #mayHaveUsedUpCpu(): boolean {
    const { cpuSeconds } = this.#parts.request.policy.limits;
    const elapsedSeconds = (performance.now() - this.#startedAt) / 1000;
    return cpuSeconds !== null && elapsedSeconds * navigator.hardwareConcurrency >= cpuSeconds;
  }
}

/** What cannot be removed now goes with the host's directory or in the next host's sweep. */
function leaveToHost(_error: unknown): void {}

function endedError(plugin: string, report: ExitReport): LaunchError {
  const { exitCode, signal, stderrTail, reason } = report;
  const how = signal ?? `exit code ${exitCode}`;
  return new LaunchError(`Cannot connect to "${plugin}" as its sandbox has ended: ${reason} (${how})`, {
    stage: reason === "sandbox-setup-failed" ? "sandbox" : "handshake",
    reason,
    exitCode,
    signal,
    stderrTail,
  });
}
