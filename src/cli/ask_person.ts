/**
 * Asks whoever sits at the terminal what a script may do.
 *
 * @module
 */

import type { OnPermission } from "../util/permission.ts";
import type { Output } from "./output.ts";
import { UsageError } from "./usage_error.ts";

/** Where answers come from. */
export interface Answers {
  isTerminal(): boolean;
  read(into: Uint8Array): Promise<number | null>;
}

/**
 * Make a callback that asks a person. Whatever is not clearly a yes is a no.
 *
 * @param output Where questions are shown: on standard error.
 * @param answers Where answers are read. @default standard input
 * @returns For `onPermission`.
 * @throws {UsageError} If nobody is there to answer.
 */
export function askPerson(output: Output, answers: Answers = Deno.stdin): OnPermission {
  if (!answers.isTerminal()) {
    throw new UsageError("Cannot use --ask as standard input is no terminal: nobody is there to answer", {
      hint: "Grant what the script needs; cordon learn finds out what that is",
    });
  }
  return async ({ plugin, permission, value, suggestion }) => {
    const { bold, dim } = output.style;
    const what = value === null ? `all of ${permission}` : `${permission} ${bold(value)}`;
    output.note(`${bold(plugin)} wants ${what}${suggestion === null ? "" : dim(`  (${suggestion})`)}`);
    output.note("Allow it? Type y and Enter; anything else denies");
    return /^y(?:es)?$/i.test(await lineOf(answers)) ? "allow" : "deny";
  };
}

/** A terminal gives one line at a time. */
async function lineOf(answers: Answers): Promise<string> {
  const line = new Uint8Array(256);
  const count = await answers.read(line);
  return new TextDecoder().decode(line.subarray(0, count ?? 0)).trim();
}
