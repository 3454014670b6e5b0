/**
 * Asks the host's callback what the policy leaves open: bounded in time and rate, and never twice the same.
 *
 * @module
 */

import type { Clock } from "../util/clock.ts";
import { cleanText } from "../util/clean_text.ts";
import type {
  PermissionAnswer,
  PermissionAudit,
  PermissionBrokerOptions,
  PermissionRequest,
} from "./broker_types.ts";

/** What came of a question. */
export interface Asked {
  readonly outcome: "allow" | "deny";
  readonly by: Extract<PermissionAudit["by"], "callback" | "rate">;
  readonly reason: string;
}

const MINUTE_MS = 60_000;
const MAX_REMEMBERED = 1_000;
const NOT_GRANTED: Asked = { outcome: "deny", by: "callback", reason: "it is not in the plugin's grant" };

/** Asks. */
export class PermissionQuestions {
  readonly #options: Pick<PermissionBrokerOptions, "onPermission">;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #perMinute: number;
  readonly #answers = new Map<string, Asked>();
  #minuteEnds = 0;
  #askedInMinute = 0;
  #giveUp: ((error: Error) => void) | null = null;

  /**
   * @param options Where to ask, how long and how often.
   * @param clock Measures both.
   */
  constructor(
    options: Pick<PermissionBrokerOptions, "onPermission" | "answerTimeoutMs" | "asksPerMinute">,
    clock: Clock,
  ) {
    this.#options = options;
    this.#clock = clock;
    this.#timeoutMs = options.answerTimeoutMs ?? 30_000;
    this.#perMinute = options.asksPerMinute ?? 30;
  }

  /** Whether an answer is awaited. */
  get isAsking(): boolean {
    return this.#giveUp !== null;
  }

  /** Stop waiting for an answer: it is a denial now. */
  stop(): void {
    this.#giveUp?.(new Error("the plugin is being stopped"));
  }

  /**
   * Ask, unless the same was answered before.
   *
   * @param request The question.
   * @param key What makes two questions the same: the value as it came, before it was made safe to show.
   * @returns The answer; a denial if the callback throws, is late, or says anything else than the types allow.
   */
  async ask(request: PermissionRequest, key: string): Promise<Asked> {
    const { onPermission } = this.#options;
    if (onPermission === undefined) return NOT_GRANTED;
    const known = this.#answers.get(key);
    if (known !== undefined) return known;
    if (!this.#spendOne()) {
      return {
        outcome: "deny",
        by: "rate",
        reason: `the plugin asked more than ${this.#perMinute} times a minute`,
      };
    }
    try {
      const asked = read(await this.#answered(async () => await onPermission(request)));
      if (this.#answers.size < MAX_REMEMBERED) this.#answers.set(key, asked);
      return asked;
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return { outcome: "deny", by: "callback", reason: `the host could not decide: ${cleanText(why)}` };
    }
  }

  async #answered(ask: () => Promise<PermissionAnswer>): Promise<PermissionAnswer> {
    const { promise, reject } = Promise.withResolvers<never>();
    const late = new Error(`no answer within ${this.#timeoutMs} ms`);
    const cancel = this.#clock.after(this.#timeoutMs, () => reject(late));
    this.#giveUp = reject;
    try {
      return await Promise.race([ask(), promise]);
    } finally {
      cancel();
      this.#giveUp = null;
    }
  }

  #spendOne(): boolean {
    const now = this.#clock.now();
    if (now >= this.#minuteEnds) {
      this.#minuteEnds = now + MINUTE_MS;
      this.#askedInMinute = 0;
    }
    return ++this.#askedInMinute <= this.#perMinute;
  }
}

/** Anything but the word itself denies. */
function read(answer: PermissionAnswer): Asked {
  if (answer === "allow") return { outcome: "allow", by: "callback", reason: "the host allowed it" };
  if (answer === "deny") return { outcome: "deny", by: "callback", reason: "the host denied it" };
  return {
    outcome: "deny",
    by: "callback",
    reason: cleanText(String(answer?.reason ?? "the host denied it")),
  };
}
