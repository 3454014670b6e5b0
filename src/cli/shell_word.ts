/**
 * Text for a person to paste into a shell.
 *
 * @module
 */

/**
 * Write a word as a shell takes it.
 *
 * @param text Any text.
 * @returns It, in quotes if a shell would read more into it.
 *
 * @example
 * ```ts
 * import { shellWord } from "./shell_word.ts";
 *
 * shellWord("my file"); // "'my file'"
 * ```
 */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
