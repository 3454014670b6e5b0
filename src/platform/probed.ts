/**
 * What one probe hands back: a fact for policy, a finding for people.
 *
 * @module
 */

import type { Finding } from "../errors.ts";

/** The result of one probe. */
export interface Probed<T> {
  /** The fact. */
  readonly fact: T;
  /** The same, with evidence and fix, for a person. */
  readonly finding: Finding;
}
