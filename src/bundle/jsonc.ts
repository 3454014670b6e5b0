/**
 * JSON with comments and trailing commas, as Deno reads its configuration files.
 *
 * @module
 */

/** Strings first, so that what looks like a comment or comma inside one stays. */
const TOKEN =
  /"(?:[^"\\\n]|\\.)*"|\/\/[^\n]*|\/\*[\s\S]*?\*\/|,(?=(?:\s|\/\/[^\n]*|\/\*[\s\S]*?\*\/)*[}\]])/g;

/**
 * Parses JSON with comments and trailing commas.
 *
 * @param text The text of the file.
 * @returns The value.
 * @throws {SyntaxError} If the text is not valid. Positions in the message are those of the original text.
 */
export function parseJsonc(text: string): unknown {
  const plain = text.replace(TOKEN, (token) => token.startsWith('"') ? token : token.replace(/[^\n]/g, " "));
  return JSON.parse(plain.startsWith("\ufeff") ? plain.slice(1) : plain);
}
