/**
 * A share of processor time, kept on average by stopping what has used more.
 *
 * @module
 */

/** How long a process may save up time that it does not use. */
const BURST_MS = 200;

/** Decides, from time and processor time, whether a process may run on. Pure but for what it remembers. */
export class CpuBudget {
  readonly #share: number;
  readonly #burstMs: number;
  #budgetMs: number;
  #nowMs: number;
  #cpuMs: number;

  /**
   * @param percent Share of one core in percent; 100 is a whole core, 250 is two and a half.
   * @param nowMs The time now, in milliseconds of a clock that never goes back.
   * @param cpuMs Processor time used so far, in milliseconds.
   */
  constructor(percent: number, nowMs: number, cpuMs: number) {
    this.#share = percent / 100;
    this.#burstMs = this.#share * BURST_MS;
    this.#budgetMs = this.#burstMs;
    this.#nowMs = nowMs;
    this.#cpuMs = cpuMs;
  }

  /**
   * Take stock.
   *
   * @param nowMs The time now.
   * @param cpuMs Processor time used so far, in milliseconds.
   * @returns True if the process may run until the next time; false if it has to be stopped.
   */
  mayRun(nowMs: number, cpuMs: number): boolean {
    const earned = (nowMs - this.#nowMs) * this.#share;
    this.#budgetMs = Math.min(this.#burstMs, this.#budgetMs + earned) - (cpuMs - this.#cpuMs);
    this.#nowMs = nowMs;
    this.#cpuMs = cpuMs;
    return this.#budgetMs > 0;
  }
}
