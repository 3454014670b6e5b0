/**
 * Checks the module that was named on the command line before anything is started for it.
 *
 * @module
 */

import { CordonError } from "../errors.ts";
import { quote } from "../util/quote.ts";
import { UsageError } from "./usage_error.ts";

/**
 * Whether an entry module is no file of this machine.
 *
 * @param entry What was written.
 * @returns True for URLs and specifiers.
 */
export function isRemote(entry: string): boolean {
  return /^(https?|jsr|npm|data|blob):/.test(entry);
}

/** The module to run is not there. Ends the program with exit code 66. */
export class NoInputError extends CordonError {
  override readonly name: string = "NoInputError";
  override readonly code: string = "CORDON_NO_INPUT";
}

/**
 * Check that an entry module was named, and that a local one is a file.
 *
 * @param entry What was written: a path, a URL or a specifier.
 * @param command Name of the command, for the message.
 * @returns The entry as it was written.
 * @throws {UsageError} If none was named.
 * @throws {NoInputError} If there is no such file.
 */
export async function entryModule(entry: string | undefined, command: string): Promise<string> {
  if (entry === undefined || entry === "") {
    throw new UsageError(`Cannot ${command} nothing: no module was named`, {
      hint: `See cordon ${command} --help`,
    });
  }
  if (isRemote(entry)) return entry;
  const path = entry.startsWith("file:") ? new URL(entry) : entry;
  try {
    const { isFile } = await Deno.stat(path);
    if (isFile) return entry;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory)) throw error;
    throw new NoInputError(`Cannot ${command} ${quote(entry)}: there is no such file`, { cause: error });
  }
  throw new NoInputError(`Cannot ${command} ${quote(entry)} as it is not a file`);
}
