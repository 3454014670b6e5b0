/**
 * The base of every error that a caller of Cordon may want to catch.
 *
 * @module
 */

/** What an environment check found: a claim, the evidence for it, and what to do about it. */
export interface Finding {
  /** Stable, kebab-case name of the check, such as `"user-namespaces"`. */
  readonly id: string;
  /** `ok` holds, `warn` is weaker than it could be, `fail` prevents confinement, `skip` was not tried. */
  readonly level: "ok" | "warn" | "fail" | "skip";
  /** One sentence for a person. */
  readonly summary: string;
  /** What was tried and what it printed. */
  readonly evidence?: string;
  /** Commands or steps that repair it, the recommended one first. */
  readonly fix?: readonly string[];
}

/** Options that all Cordon errors share. */
export interface CordonErrorOptions extends ErrorOptions {
  /** What the reader should do next, in one sentence. */
  readonly hint?: string | undefined;
}

/**
 * Base class of everything that Cordon throws for a reason that a caller may want to handle.
 *
 * @example
 * ```ts
 * import { CordonError } from "@cordon/cordon";
 *
 * const error: unknown = new Error("other");
 * if (error instanceof CordonError) console.error(error.code, error.hint);
 * ```
 */
export abstract class CordonError extends Error {
  /** Stable identifier of the class, such as `"CORDON_CONFIG"`. */
  abstract readonly code: string;
  /** What the reader should do next, if there is something. */
  readonly hint: string | undefined;

  /**
   * For the classes that extend it.
   *
   * @param message What could not be done, and why.
   * @param options `hint` and `cause`.
   */
  constructor(message: string, options: CordonErrorOptions = {}) {
    super(message, options);
    this.hint = options.hint;
  }
}
