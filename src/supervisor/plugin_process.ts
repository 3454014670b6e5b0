/**
 * One process of a plugin as its lifecycle sees it: what confines it, when it ended, how to end it.
 *
 * @module
 */

import { DisposedError } from "../errors.ts";
import type { RpcSession } from "../rpc/mod.ts";
import { type Clock, wait } from "../util/clock.ts";
import { heartbeat } from "./heartbeat.ts";
import { killIfStuck } from "./kill_if_stuck.ts";
import type { PluginProcess } from "./lifecycle.ts";
import type { Generation } from "./load_generation.ts";
import type { ExitFacts, RunningFacts } from "./status.ts";

/** How often a process that is to be retired is asked whether its calls have ended, in milliseconds. */
const drainStepMs = 10;

/** How a process is watched and ended. */
export interface ProcessSetup {
  /** Name for messages. */
  readonly name: string;
  readonly clock: Clock;
  /** Time for calls in flight to end, and then for the plugin to stop, in milliseconds each. */
  readonly shutdownGraceMs: number;
  /** See `LoadOptions.heartbeatMs`. */
  readonly heartbeatMs: number;
}

/** A loaded process. Owns its generation. */
export class GenerationProcess implements PluginProcess {
  readonly facts: RunningFacts;
  readonly exited: Promise<ExitFacts>;
  readonly generation: Generation;
  readonly #setup: ProcessSetup;
  readonly #heartbeat: Disposable | null;
  #hasExited = false;
  #retiring: Promise<void> | null = null;
  #suspicion: Promise<void> | null = null;

  /** @param generation Owned from now on. */
  constructor(generation: Generation, setup: ProcessSetup) {
    const { guest, policy: { tier, enforcement }, tensors } = generation.sandbox;
    this.generation = generation;
    this.#setup = setup;
    this.facts = { pid: guest.pid, tier, enforcement, tensors };
    this.exited = guest.exited;
    void guest.exited.then(() => this.#hasExited = true);
    this.#heartbeat = setup.heartbeatMs === 0 ? null : this.#beat();
  }

  /** The connection to it. */
  get session(): RpcSession {
    return this.generation.sandbox.session;
  }

  /** Lets calls in flight end within the grace period, then stops it, by force after another. See `PluginProcess`. */
  retire(): Promise<void> {
    return this.#retiring ??= this.#retire(true);
  }

  /** Stops it without waiting for calls in flight. See `PluginProcess`. */
  stop(): Promise<void> {
    return this.#retiring ??= this.#retire(false);
  }

  /** A call was given up: if the process is stuck, it is killed. One look at a time, however many calls are given up. */
  suspect(): void {
    if (this.#retiring !== null) return;
    this.#suspicion ??= killIfStuck(this, this.#setup.shutdownGraceMs).finally(() => this.#suspicion = null);
  }

  async #retire(isDraining: boolean): Promise<void> {
    const { name, shutdownGraceMs } = this.#setup;
    const { guest, session } = this.generation.sandbox;
    this.#heartbeat?.[Symbol.dispose]();
    if (isDraining) await this.#drained();
    // The exit of a process can be known before the end of its connection: what is pending waits for the reason.
    if (this.#hasExited) await session.closed;
    else await session.shutdown(shutdownGraceMs);
    if (this.generation.sandbox.policy.coverage !== undefined) await this.#ended(shutdownGraceMs);
    guest.kill("stopped");
    await guest.exited;
    session.close(new DisposedError(`Cannot call plugin "${name}": it was stopped`));
    await this.#suspicion;
    await this.generation[Symbol.asyncDispose]();
  }

  /** The runtime writes its counts when it ends by itself. */
  async #ended(graceMs: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const cancel = this.#setup.clock.after(graceMs, resolve);
    await Promise.race([promise, this.generation.sandbox.guest.exited]);
    cancel();
  }

  async #drained(): Promise<void> {
    const { clock, shutdownGraceMs } = this.#setup;
    const deadline = clock.now() + shutdownGraceMs;
    while (this.session.state === "open" && this.isBusy && clock.now() < deadline) {
      await wait(clock, drainStepMs);
    }
  }

  /** Whether somebody waits for it, or it for the host. Calls that were given up do not count. */
  get isBusy(): boolean {
    const { pending, stats } = this.session.inspect();
    return pending.length + stats.streamsIn + stats.streamsOut > 0;
  }

  /** Whether it stands still until somebody has answered its question. */
  get isAsking(): boolean {
    return this.generation.sandbox.isAsking();
  }

  #beat(): Disposable {
    return heartbeat({
      clock: this.#setup.clock,
      intervalMs: this.#setup.heartbeatMs,
      ping: () => this.session.ping(),
      isBusy: () => this.isBusy || this.isAsking,
      onLost: () => this.generation.sandbox.guest.kill("heartbeat-lost"),
    });
  }
}
