/**
 * The one way in which tests look at configuration errors.
 *
 * @module
 */

import assert from "node:assert/strict";
import { ConfigError } from "../../src/errors.ts";

/** Expects a ConfigError with exactly this message, path and (unless left out) hint. */
export function assertConfigError(
  work: () => unknown,
  expected: { readonly path: string; readonly message: string; readonly hint?: string },
): void {
  assert.throws(work, (error) => {
    assert.ok(error instanceof ConfigError, `${error}`);
    assert.equal(error.message, expected.message);
    assert.equal(error.path, expected.path);
    if (expected.hint !== undefined) assert.equal(error.hint, expected.hint);
    return true;
  });
}
