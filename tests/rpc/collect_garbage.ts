/**
 * Runs the garbage collector, for tests of what is released when user code forgets it.
 *
 * @module
 */

import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/** Collect everything that is unreachable now; finalizers run soon after. */
export function collectGarbage(): void {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
}
