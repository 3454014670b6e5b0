/**
 * Makes text from a plugin safe to show: on a terminal, in a log, in a question to a person.
 *
 * @module
 */

/**
 * C0 and C1 controls, line and paragraph separators, everything that changes the direction of text or has no width
 * (so that a name cannot be made to look like another), surrogates without a partner, and the tag characters.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\u115f\u1160\u3164\uffa0]/gu;

/**
 * Replace what must not be shown.
 *
 * @param text Any text.
 * @param maxCharacters Length in UTF-16 units after which it is cut. @default 200
 * @returns The text with `\u{…}` escapes for control, bidirectional and invisible characters.
 *
 * @example
 * ```ts
 * import { cleanText } from "./clean_text.ts";
 * import { equal } from "node:assert/strict";
 *
 * equal(cleanText("a\u202eb\n"), "a\\u{202e}b\\u{a}");
 * ```
 */
export function cleanText(text: string, maxCharacters = 200): string {
  const cut = text.length > maxCharacters ? `${text.slice(0, maxCharacters)}…` : text;
  return cut.replace(UNSAFE, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`);
}
