/**
 * Keeps a running process to its share of processor time.
 *
 * @module
 */

import { CpuBudget } from "./cpu_budget.ts";
import { signalProcess } from "./signal_process.ts";
import { unlessGone } from "../util/no_such_process.ts";

const PERIOD_MS = 25;
/** The kernel reports processor time to user space in hundredths of a second: USER_HZ of proc_pid_stat(5). */
const MS_PER_TICK = 10;

/** Stops and continues one process. Disposing lets it run again, which does nothing to a process that has ended. */
export class CpuGovernor implements Disposable {
  readonly #pid: number;
  readonly #isAlive: () => boolean;
  readonly #budget: CpuBudget;
  readonly #timer: ReturnType<typeof setInterval>;
  #isStopped = false;

  /**
   * @param pid A child of this process or of one of its children that is still to be waited for.
   * @param percent Share of one core in percent.
   * @param isAlive False once the pid may belong to another process.
   */
  constructor(pid: number, percent: number, isAlive: () => boolean) {
    this.#pid = pid;
    this.#isAlive = isAlive;
    this.#budget = new CpuBudget(percent, performance.now(), cpuMs(pid) ?? 0);
    this.#timer = setInterval(() => this.#govern(), PERIOD_MS);
    Deno.unrefTimer(this.#timer);
  }

  /** Let the process run as much as it likes. Idempotent. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#run();
  }

  #govern(): void {
    const used = this.#isAlive() ? cpuMs(this.#pid) : null;
    if (used === null) return;
    if (this.#budget.mayRun(performance.now(), used)) return this.#run();
    if (this.#isStopped) return;
    this.#isStopped = true;
    signalProcess(this.#pid, "SIGSTOP");
  }

  #run(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    if (this.#isAlive()) signalProcess(this.#pid, "SIGCONT");
  }
}

/** Processor time of all threads, in milliseconds; null when the process is gone. */
function cpuMs(pid: number): number | null {
  const stat = unlessGone(() => Deno.readTextFileSync(`/proc/${pid}/stat`));
  if (stat === null) return null;
  // The name in parentheses may contain anything; user and system time are the 12th and 13th fields after it.
  const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
}
