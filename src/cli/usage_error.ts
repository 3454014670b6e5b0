/**
 * The command line was written wrongly.
 *
 * @module
 */

import { CordonError, type CordonErrorOptions } from "../errors.ts";

/** A command line that cannot be understood. Ends the program with exit code 64. */
export class UsageError extends CordonError {
  override readonly name: string = "UsageError";
  override readonly code: string = "CORDON_USAGE";

  /**
   * @param message What is wrong.
   * @param options `hint`: what was probably meant.
   */
  constructor(message: string, options: CordonErrorOptions = {}) {
    super(message, options);
  }
}
