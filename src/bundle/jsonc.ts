/**
 * JSON with comments and trailing commas, as Deno reads its configuration files.
 *
 * @module
 */

/** Strings come first, so that what looks like a comment inside one stays. */
const COMMENT = /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\//g;

/** A comma behind a value and before the end of its list or object. */
const TRAILING_COMMA = /"(?:[^"\\\n]|\\.)*"|(?<=[^\s,[{:]\s*),(?=\s*[}\]])/g;

/**
 * Parses JSON with comments and trailing commas.
 *
 * @param text The text of the file.
 * @returns The value.
 * @throws {SyntaxError} If the text is not valid. Positions in the message are those of the original text.
 */
export function parseJsonc(text: string): unknown {
  const blank = (token: string) => token.startsWith('"') ? token : token.replace(/[^\n]/g, " ");
  const plain = text.replace(/^\ufeff/, "").replace(COMMENT, blank).replace(TRAILING_COMMA, blank);
  return JSON.parse(plain);
}
