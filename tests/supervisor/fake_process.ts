/**
 * A plugin's process that tests control by hand.
 *
 * @module
 */

import type { ExitReason } from "../../src/errors.ts";
import type { PluginProcess } from "../../src/supervisor/lifecycle.ts";
import type { ExitFacts } from "../../src/supervisor/status.ts";
import { exitFacts, runningFacts } from "./facts.ts";

/** A process without a process. */
export class FakeProcess implements PluginProcess {
  readonly facts;
  readonly #exit = Promise.withResolvers<ExitFacts>();
  readonly exited: Promise<ExitFacts> = this.#exit.promise;
  retired = 0;
  /** What its end rejects with. */
  failure: Error | null = null;

  constructor(readonly generation: number) {
    this.facts = { ...runningFacts, pid: 1000 + generation };
  }

  retire(): Promise<void> {
    this.retired++;
    this.end("stopped", { exitCode: 0 });
    return this.failure === null ? Promise.resolve() : Promise.reject(this.failure);
  }

  stop(): Promise<void> {
    return this.retire();
  }

  /** It ends. */
  end(reason: ExitReason, over: Partial<ExitFacts> = {}): void {
    this.#exit.resolve(exitFacts(reason, over));
  }
}
