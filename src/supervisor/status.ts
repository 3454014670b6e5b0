/**
 * The states of a plugin and every way from one to the next, without any effect.
 *
 * @module
 */

import type { ExitReason } from "../errors.ts";
import type { LimitEnforcement, LimitName, Tier } from "../policy/types.ts";

/** How a plugin's process ended. */
export interface ExitFacts {
  /** Why it ended. */
  readonly reason: ExitReason;
  /** Exit code, if it ended by itself. */
  readonly exitCode: number | null;
  /** Signal name, if a signal ended it. */
  readonly signal: string | null;
  /** The last lines of its stderr. */
  readonly stderrTail: string;
}

/** What every state tells. */
export interface StatusBase {
  /** When this state began, in milliseconds since the epoch. */
  readonly since: number;
  /** Counts the processes of this plugin from 1; belongs to the current one, or to the last when there is none. */
  readonly generation: number;
}

/** What confines a running process. */
export interface RunningFacts {
  /** Pid of the process that was spawned. */
  readonly pid: number;
  /** Which layers are in force. */
  readonly tier: Tier;
  /** How each limit is enforced. */
  readonly enforcement: Readonly<Record<LimitName, LimitEnforcement>>;
  /** Whether tensors and large arrays go through shared memory, or are copied into messages. */
  readonly tensors: "shared" | "copy";
}

/** A process is being started; calls wait for it. */
export interface StartingStatus extends StatusBase {
  /** Tells the states apart. */
  readonly state: "starting";
}

/** The plugin answers calls. */
export interface RunningStatus extends StatusBase, RunningFacts {
  /** Tells the states apart. */
  readonly state: "running";
}

/** The process died and nothing is going to start another one by itself. */
export interface CrashedStatus extends StatusBase, ExitFacts {
  /** Tells the states apart. */
  readonly state: "crashed";
}

/** Another process will be started; calls wait for it. */
export interface RestartingStatus extends StatusBase {
  /** Tells the states apart. */
  readonly state: "restarting";
  /** How often it was tried since it was last stable, this one included; 0 when somebody asked for the restart. */
  readonly attempt: number;
  /** When the start is due, in milliseconds since the epoch. */
  readonly nextAt: number;
  /** What ended the process before, or `null` when somebody asked for the restart. */
  readonly crash: ExitFacts | null;
}

/** It crashed too often; only `restart()` starts it again. */
export interface QuarantinedStatus extends StatusBase {
  /** Tells the states apart. */
  readonly state: "quarantined";
  /** Crashes within the window. */
  readonly crashes: number;
  /** The last of them. */
  readonly crash: ExitFacts;
}

/** The plugin has ended for good. */
export interface TerminatedStatus extends StatusBase {
  /** Tells the states apart. */
  readonly state: "terminated";
  /** Why its last process ended: `"stopped"` by the host, or `"clean-exit"` by itself. */
  readonly reason: ExitReason;
  /** Exit code of its last process, if it has one. */
  readonly exitCode: number | null;
}

/** What a plugin is doing. */
export type PluginStatus =
  | StartingStatus
  | RunningStatus
  | CrashedStatus
  | RestartingStatus
  | QuarantinedStatus
  | TerminatedStatus;

/** Something that changes a plugin's state. `at` is in milliseconds since the epoch. */
export type StatusEvent =
  & { readonly at: number }
  & (
    /** A process is started: the next generation. */
    | { readonly kind: "start" }
    /** The process of a generation is ready. A later generation than the current one replaces it (hot reload). */
    | ({ readonly kind: "ready"; readonly generation: number } & RunningFacts)
    /** The process of a generation ended, or could not be started. */
    | ({ readonly kind: "exit"; readonly generation: number } & ExitFacts)
    /** A start was scheduled, after a crash or because somebody asked. */
    | { readonly kind: "restart"; readonly attempt: number; readonly nextAt: number }
    /** It crashed too often. */
    | { readonly kind: "quarantine"; readonly crashes: number }
    /** The host ended it. */
    | { readonly kind: "terminate"; readonly exitCode: number | null }
  );

/**
 * The first state of a plugin.
 *
 * @param at Milliseconds since the epoch.
 * @returns `starting` with generation 1.
 */
export function initialStatus(at: number): PluginStatus {
  return Object.freeze({ state: "starting", since: at, generation: 1 });
}

/**
 * The state that follows.
 *
 * News of a process that has already been replaced, and anything after the end, change nothing.
 *
 * @param status The current state.
 * @param event What happened.
 * @returns The next state, frozen; the very same object when nothing changes.
 * @throws {TypeError} If the event cannot happen in this state: a mistake in the caller.
 *
 * @example
 * ```ts
 * import { initialStatus, transition } from "./status.ts";
 *
 * transition(initialStatus(0), { kind: "terminate", exitCode: 0, at: 5 }).state; // "terminated"
 * ```
 */
export function transition(status: PluginStatus, event: StatusEvent): PluginStatus {
  if (status.state === "terminated") return status;
  const next = step(status, event);
  return next === status ? status : Object.freeze(next);
}

function step(status: Exclude<PluginStatus, TerminatedStatus>, event: StatusEvent): PluginStatus {
  const { generation } = status;
  switch (event.kind) {
    case "start":
      return startable(status, event, { state: "starting", since: event.at, generation: generation + 1 });
    case "ready":
      return ready(status, event);
    case "exit":
      return exit(status, event);
    case "restart":
      return restart(status, event);
    case "quarantine":
      if (status.state !== "crashed") throw impossible(status, event);
      return {
        state: "quarantined",
        since: event.at,
        generation,
        crashes: event.crashes,
        crash: exitFacts(status),
      };
    case "terminate":
      return {
        state: "terminated",
        since: event.at,
        generation,
        reason: "stopped",
        exitCode: event.exitCode,
      };
  }
}

function startable(status: PluginStatus, event: StatusEvent, next: StartingStatus): PluginStatus {
  if (status.state === "starting" || status.state === "running") throw impossible(status, event);
  return next;
}

function ready(status: PluginStatus, event: StatusEvent & { kind: "ready" }): PluginStatus {
  const { generation, pid, tier, enforcement, tensors, at } = event;
  if (generation < status.generation) return status;
  const isFirst = status.state === "starting" && generation === status.generation;
  const replaces = status.state === "running" && generation > status.generation;
  if (!isFirst && !replaces) throw impossible(status, event);
  return { state: "running", since: at, generation, pid, tier, enforcement, tensors };
}

function exit(status: PluginStatus, event: StatusEvent & { kind: "exit" }): PluginStatus {
  const { generation, at, reason, exitCode } = event;
  if (generation < status.generation) return status;
  if (generation > status.generation) throw impossible(status, event);
  // After a crash was noted, and during a restart that was asked for, the end of the same process is no news.
  if (status.state !== "starting" && status.state !== "running") return status;
  const isDeliberate = reason === "stopped" || (reason === "clean-exit" && status.state === "running");
  if (isDeliberate) return { state: "terminated", since: at, generation, reason, exitCode };
  return { state: "crashed", since: at, generation, ...exitFacts(event) };
}

function restart(status: PluginStatus, event: StatusEvent & { kind: "restart" }): PluginStatus {
  const { at, attempt, nextAt } = event;
  const { generation } = status;
  switch (status.state) {
    case "crashed":
      return { state: "restarting", since: at, generation, attempt, nextAt, crash: exitFacts(status) };
    case "quarantined":
    case "restarting":
      return { state: "restarting", since: at, generation, attempt, nextAt, crash: status.crash };
    case "running":
      return { state: "restarting", since: at, generation, attempt, nextAt, crash: null };
    default:
      throw impossible(status, event);
  }
}

function exitFacts(facts: ExitFacts): ExitFacts {
  const { reason, exitCode, signal, stderrTail } = facts;
  return Object.freeze({ reason, exitCode, signal, stderrTail });
}

function impossible(status: PluginStatus, event: StatusEvent): TypeError {
  return new TypeError(`Cannot apply "${event.kind}" as the next event of a plugin: it is ${status.state}`);
}
